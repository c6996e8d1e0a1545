//! The vector registers, which most copies pass through. Whatever saves them (a dynamic linker when a function is called for the first time, a
//! signal) would leave the pieces that were copied last in a place that nobody wipes.
//!
//! No other part of the library is used here: `.ci/run` compiles this file alone for the processors of phones.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

/// Overwrites the vector registers.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
pub fn empty() {
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

/// Overwrites the vector registers. Longer (SVE) registers begin with these and are emptied with them; the low halves of v8 to v15 belong to the
/// caller by the calling convention and come back as they were.
#[cfg(target_arch = "aarch64")]
#[inline(never)]
pub fn empty() {
    // SAFETY: registers are overwritten, nothing else.
    unsafe {
        asm!(
            "movi v0.16b, #0", "movi v1.16b, #0", "movi v2.16b, #0", "movi v3.16b, #0", "movi v4.16b, #0", "movi v5.16b, #0",
            "movi v6.16b, #0", "movi v7.16b, #0", "movi v8.16b, #0", "movi v9.16b, #0", "movi v10.16b, #0", "movi v11.16b, #0",
            "movi v12.16b, #0", "movi v13.16b, #0", "movi v14.16b, #0", "movi v15.16b, #0", "movi v16.16b, #0", "movi v17.16b, #0",
            "movi v18.16b, #0", "movi v19.16b, #0", "movi v20.16b, #0", "movi v21.16b, #0", "movi v22.16b, #0", "movi v23.16b, #0",
            "movi v24.16b, #0", "movi v25.16b, #0", "movi v26.16b, #0", "movi v27.16b, #0", "movi v28.16b, #0", "movi v29.16b, #0",
            "movi v30.16b, #0", "movi v31.16b, #0",
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nomem, nostack, preserves_flags)
        );
    }
}

/// Not known for this processor: nothing is overwritten.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn empty() {}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    const WORD: u64 = 0x5a5a_1234_8765_a5a5;

    extern "C" fn nothing() {}

    extern "C" fn emptied() {
        empty();
    }

    /// What a register holds after a call before which it held a word.
    macro_rules! left_by {
        ($call:path, $copy:literal, $register:literal) => {{
            let left: u64;
            // SAFETY: a call by the C convention; registers are read and written.
            unsafe {
                asm!(
                    concat!($copy, " ", $register, ", rdi"),
                    "call {call}",
                    concat!($copy, " rax, ", $register),
                    call = sym $call, in("rdi") WORD, lateout("rax") left, clobber_abi("C"),
                );
            }
            left
        }};
    }

    macro_rules! each {
        ($copy:literal: $($register:literal)*) => {
            $(
                assert_eq!(left_by!(nothing, $copy, $register), WORD, $register);
                assert_eq!(left_by!(emptied, $copy, $register), 0, $register);
            )*
        };
    }

    #[test]
    fn what_was_copied_last_is_in_no_vector_register() {
        // Every processor of this kind has these, whatever it was detected to have.
        each!("movq": "xmm0" "xmm1" "xmm2" "xmm3" "xmm4" "xmm5" "xmm6" "xmm7" "xmm8" "xmm9" "xmm10" "xmm11" "xmm12" "xmm13" "xmm14" "xmm15");
        if is_x86_feature_detected!("avx512f") {
            each!("vmovq": "xmm16" "xmm17" "xmm18" "xmm19" "xmm20" "xmm21" "xmm22" "xmm23" "xmm24" "xmm25" "xmm26" "xmm27" "xmm28" "xmm29" "xmm30" "xmm31");
        }
    }
}
