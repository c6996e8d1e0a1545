//! Writes the Kotlin, Swift and Python sides of the border.
fn main() {
    uniffi::uniffi_bindgen_main();
}
