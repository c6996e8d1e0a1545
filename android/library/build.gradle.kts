// The wallet for any app: generated Kotlin, adapters, and the Rust library for the phone's processors.
// Never run on the project's own machines; see ../README.md. Needs an NDK (r28 or later), rustup's Android targets and cargo-ndk.
plugins {
    id("com.android.library")
    id("org.jetbrains.kotlin.android")
}

val workspace = rootDir.parentFile
val jniLibs = layout.buildDirectory.dir("jniLibs")
val generated = layout.buildDirectory.dir("generated/uniffi")
val abis = listOf("arm64-v8a", "armeabi-v7a")

android {
    namespace = "vn.citizenwallet.android"
    compileSdk = 34
    ndkVersion = "28.0.12674087"

    defaultConfig {
        minSdk = 26
        consumerProguardFiles("proguard/consumer-rules.pro")
        ndk { abiFilters += abis }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
    kotlinOptions { jvmTarget = "1.8" }
    sourceSets["main"].apply {
        kotlin.srcDir(generated)
        jniLibs.srcDir(this@Build_gradle.jniLibs)
    }
}

/** The Rust library for the phone, per ABI, into a folder as Android wants it. */
val cargoNdk = tasks.register<Exec>("cargoNdk") {
    workingDir = workspace
    commandLine(
        listOf("cargo", "ndk") + abis.flatMap { listOf("-t", it) } +
            listOf("-P", "26", "-o", jniLibs.get().asFile.path, "build", "--locked", "--profile", "mobile", "-p", "wallet-bindings")
    )
}

/**
 * The generated Kotlin, out of a library of this very source. It reads the names from the library's symbols, which the stripped library for the phone
 * no longer has: so it reads one built for this machine.
 */
val cargoHost = tasks.register<Exec>("cargoHost") {
    workingDir = workspace
    commandLine("cargo", "build", "--locked", "--profile", "ci", "-p", "wallet-bindings")
}
val uniffiKotlin = tasks.register<Exec>("uniffiKotlin") {
    dependsOn(cargoHost)
    workingDir = workspace
    val target = System.getenv("CARGO_TARGET_DIR") ?: workspace.resolve("target").path
    val suffix = if (System.getProperty("os.name").startsWith("Mac")) "dylib" else "so"
    commandLine(
        "cargo", "run", "--locked", "--profile", "ci", "-p", "wallet-bindings", "--features", "bindgen", "--bin", "uniffi-bindgen", "--",
        "generate", "$target/ci/libwallet_bindings.$suffix", "--language", "kotlin", "--out-dir", generated.get().asFile.path, "--no-format"
    )
}

tasks.named("preBuild") { dependsOn(cargoNdk, uniffiKotlin) }

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
    implementation("net.java.dev.jna:jna:5.18.1@aar")
}
