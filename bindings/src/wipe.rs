//! What the library leaves behind in memory: the allocator overwrites every piece before it gives it back, every call overwrites its dead stack.
//!
//! A passcode, a key or a name passes through many short-lived buffers that no type of ours owns: the buffer in which an app handed it over, a
//! growing vector, the decoder of a stored row, a display model on its way to the screen. Wiping where they are freed catches them all, in
//! dependencies too (ADR 0013). The database engine allocates by itself and is told to do the same (`wallet_platform::store`).

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;
use std::hint::black_box;
use std::ptr;

/// How much of the dead stack is overwritten: more than any call was seen to use, and a quarter of the smallest stack of a phone's thread (512 KiB).
const DEAD_STACK: usize = 128 * 1024;

/// Overwrites what the calls that just ended left below this frame of the caller's thread: saved registers and small copies.
#[inline(never)]
#[allow(clippy::large_stack_arrays)]
pub(crate) fn dead_stack() {
    black_box(&mut [0_u8; DEAD_STACK]);
}

struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

/// Overwrites `length` bytes so that the compiler cannot leave it out, although the memory is freed next.
///
/// # Safety
/// The bytes belong to the caller.
unsafe fn wipe(at: *mut u8, length: usize) {
    // SAFETY: by the caller.
    unsafe { ptr::write_bytes(at, 0, length) };
    // SAFETY: no instruction at all; it may, as far as the compiler knows, read the bytes.
    unsafe { asm!("/* {0} */", in(reg) at, options(nostack, preserves_flags)) };
}

// SAFETY: every call is the system allocator's; only bytes of the caller's own layout are written.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: by the caller: the whole layout is his.
        unsafe { wipe(at, layout.size()) };
        // SAFETY: by the caller.
        unsafe { System.dealloc(at, layout) }
    }

    // The system's `realloc` would leave the old place as it was.
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's size is sound for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: by the caller.
        let new = unsafe { self.alloc(wanted) };
        if !new.is_null() {
            // SAFETY: both places hold at least the smaller of the two sizes and are apart.
            unsafe { ptr::copy_nonoverlapping(at, new, layout.size().min(size)) };
            // SAFETY: by the caller.
            unsafe { self.dealloc(at, layout) };
        }
        new
    }
}
