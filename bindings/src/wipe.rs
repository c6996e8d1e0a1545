//! What the library leaves behind in memory: the allocator overwrites every piece before it gives it back, every act overwrites its dead stack
//! and the vector registers ([`crate::registers`]).
//!
//! A passcode, a key or a name passes through many short-lived buffers that no type of ours owns: the buffer in which an app handed it over, a
//! growing vector, the decoder of a stored row, a display model on its way to the screen. Wiping where they are freed catches them all, in
//! dependencies too (ADR 0013). The database engine allocates by itself and is told to do the same (`wallet_platform::store`).

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;
use std::ptr;

use wallet_platform::worker;

use crate::registers;

/// Runs work and overwrites what it leaves on this thread: its stack and the vector registers. From then on the core's own threads do the same.
pub(crate) fn after<T>(work: impl FnOnce() -> T) -> T {
    worker::at_end(registers::empty);
    worker::after(work)
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

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    const WORD: u64 = 0x5a5a_1234_8765_a5a5;

    #[inline(never)]
    fn fill() {
        black_box(&mut [WORD; 4096]);
    }

    /// Whether the word stands anywhere in the 48 KiB below this frame, but for the little that calls of the test itself write.
    #[inline(never)]
    fn is_left() -> bool {
        let here = 0_u64;
        let top = (&raw const here).expose_provenance();
        // SAFETY: the stack of a thread of the tests is longer than this; nothing is read as anything but a number.
        (64..6144).any(|n| unsafe { ptr::with_exposed_provenance::<u64>(top - 8 * n).read_volatile() } == WORD)
    }

    #[test]
    fn what_work_leaves_on_the_stack_is_gone() {
        fill();
        assert!(is_left(), "the search finds what is there");
        worker::dead_stack();
        after(fill);
        assert!(!is_left());
        let panicked = std::panic::catch_unwind(|| {
            after(|| {
                fill();
                std::panic::resume_unwind(Box::new(()));
            });
        });
        assert!(panicked.is_err() && !is_left());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn an_act_empties_the_vector_registers() {
        extern "C" fn act() {
            after(|| ());
        }
        let left: u64;
        // A high register: what wipes the stack uses low ones.
        // SAFETY: a call by the C convention; registers are read and written.
        unsafe {
            std::arch::asm!(
                "movq xmm9, rdi", "call {act}", "movq rax, xmm9",
                act = sym act, in("rdi") WORD, lateout("rax") left, clobber_abi("C"),
            );
        }
        assert_eq!(left, 0);
    }
}
