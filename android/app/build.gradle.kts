// The app. Never run on the project's own machines; see ../README.md. Manifest, resources and rules are the ones that Maven uses.
plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "vn.citizenwallet.app"
    compileSdk = 34

    defaultConfig {
        applicationId = "vn.citizenwallet.app"
        minSdk = 26
        targetSdk = 34
        versionCode = 1
        versionName = "0.1.0"
    }
    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = false
            proguardFiles("proguard/app-rules.pro")
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
    kotlinOptions { jvmTarget = "1.8" }
    packaging {
        // Mapped from the APK, on 16 KB pages.
        jniLibs { useLegacyPackaging = false }
    }
    sourceSets["main"].kotlin.srcDir("src/main/kotlin")
}

dependencies {
    implementation(project(":library"))
}
