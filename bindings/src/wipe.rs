//! What the library leaves behind in memory: the allocator overwrites every piece before it gives it back, every call overwrites its
//! dead stack and the vector registers.
//!
//! A passcode, a key or a name passes through many short-lived buffers that no type of ours owns: the buffer in which an app handed it over, a
//! growing vector, the decoder of a stored row, a display model on its way to the screen. Wiping where they are freed catches them all, in
//! dependencies too (ADR 0013). The database engine allocates by itself and is told to do the same (`wallet_platform::store`).

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;
use std::ptr;

use wallet_platform::worker;

/// Runs work and overwrites what it leaves on this thread, however it ends, by a panic too: its stack and the vector registers.
pub(crate) fn after<T>(work: impl FnOnce() -> T) -> T {
    let _scrub = Scrub;
    apart(work)
}

/// A frame of its own, below the one from which the stack is wiped.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

struct Scrub;

impl Drop for Scrub {
    fn drop(&mut self) {
        worker::dead_stack();
        vector_registers();
    }
}

/// Overwrites the vector registers, which every copy passes through. Whatever saves them next (the dynamic linker when a function is called for
/// the first time, a signal) would leave the last pieces that were copied in a place that is not wiped.
#[cfg(target_arch = "x86_64")]
extern "C" fn vector_registers() {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has these registers.
        unsafe { upper_registers() };
    }
    if is_x86_feature_detected!("avx") {
        // SAFETY: the processor has these registers.
        unsafe { wide_registers() };
    } else {
        // SAFETY: registers are overwritten, nothing else.
        unsafe {
            asm!(
                "xorps xmm0, xmm0", "xorps xmm1, xmm1", "xorps xmm2, xmm2", "xorps xmm3, xmm3",
                "xorps xmm4, xmm4", "xorps xmm5, xmm5", "xorps xmm6, xmm6", "xorps xmm7, xmm7",
                "xorps xmm8, xmm8", "xorps xmm9, xmm9", "xorps xmm10, xmm10", "xorps xmm11, xmm11",
                "xorps xmm12, xmm12", "xorps xmm13, xmm13", "xorps xmm14, xmm14", "xorps xmm15, xmm15",
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nomem, nostack, preserves_flags)
            );
        }
    }
}

/// `zmm0` to `zmm15`, whole.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
fn wide_registers() {
    // SAFETY: registers are overwritten, nothing else.
    unsafe {
        asm!(
            "vzeroall",
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
            out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _, out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nomem, nostack, preserves_flags)
        );
    }
}

/// `zmm16` to `zmm31`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn upper_registers() {
    // SAFETY: registers are overwritten, nothing else.
    unsafe {
        asm!(
            "vpxord zmm16, zmm16, zmm16", "vpxord zmm17, zmm17, zmm17", "vpxord zmm18, zmm18, zmm18", "vpxord zmm19, zmm19, zmm19",
            "vpxord zmm20, zmm20, zmm20", "vpxord zmm21, zmm21, zmm21", "vpxord zmm22, zmm22, zmm22", "vpxord zmm23, zmm23, zmm23",
            "vpxord zmm24, zmm24, zmm24", "vpxord zmm25, zmm25, zmm25", "vpxord zmm26, zmm26, zmm26", "vpxord zmm27, zmm27, zmm27",
            "vpxord zmm28, zmm28, zmm28", "vpxord zmm29, zmm29, zmm29", "vpxord zmm30, zmm30, zmm30", "vpxord zmm31, zmm31, zmm31",
            out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _, out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
            out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _, out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
            options(nomem, nostack, preserves_flags)
        );
    }
}

/// The same on the processors of phones; longer (SVE) registers begin with these and are emptied with them.
#[cfg(target_arch = "aarch64")]
extern "C" fn vector_registers() {
    // SAFETY: registers are overwritten, nothing else.
    unsafe {
        asm!(
            "movi v0.2d, #0", "movi v1.2d, #0", "movi v2.2d, #0", "movi v3.2d, #0", "movi v4.2d, #0", "movi v5.2d, #0",
            "movi v6.2d, #0", "movi v7.2d, #0", "movi v8.2d, #0", "movi v9.2d, #0", "movi v10.2d, #0", "movi v11.2d, #0",
            "movi v12.2d, #0", "movi v13.2d, #0", "movi v14.2d, #0", "movi v15.2d, #0", "movi v16.2d, #0", "movi v17.2d, #0",
            "movi v18.2d, #0", "movi v19.2d, #0", "movi v20.2d, #0", "movi v21.2d, #0", "movi v22.2d, #0", "movi v23.2d, #0",
            "movi v24.2d, #0", "movi v25.2d, #0", "movi v26.2d, #0", "movi v27.2d, #0", "movi v28.2d, #0", "movi v29.2d, #0",
            "movi v30.2d, #0", "movi v31.2d, #0",
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nomem, nostack, preserves_flags)
        );
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
extern "C" fn vector_registers() {}

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

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    const WORD: u64 = 0x5a5a_1234_8765_a5a5;

    extern "C" fn nothing() {}

    /// What a register of each bank holds after a call that found a word in all of them.
    macro_rules! left_by {
        ($call:path, $low:literal, $high:literal) => {{
            let (mut low, mut high): (u64, u64);
            // SAFETY: a call by the C convention; registers are read and written.
            unsafe {
                asm!(
                    concat!("movq ", $low, ", rdi"),
                    concat!("vmovq ", $high, ", rdi"),
                    "call {call}",
                    concat!("movq rax, ", $low),
                    concat!("vmovq rdx, ", $high),
                    call = sym $call, in("rdi") WORD, lateout("rax") low, lateout("rdx") high, clobber_abi("C"),
                );
            }
            (low, high)
        }};
    }

    #[test]
    fn what_was_copied_last_is_in_no_vector_register() {
        if is_x86_feature_detected!("avx512f") {
            assert_eq!(left_by!(nothing, "xmm5", "xmm17"), (WORD, WORD));
            assert_eq!(left_by!(vector_registers, "xmm5", "xmm17"), (0, 0));
        }
        if is_x86_feature_detected!("avx") {
            assert_eq!(left_by!(nothing, "xmm0", "xmm15"), (WORD, WORD));
            assert_eq!(left_by!(vector_registers, "xmm0", "xmm15"), (0, 0));
        }
    }
}
