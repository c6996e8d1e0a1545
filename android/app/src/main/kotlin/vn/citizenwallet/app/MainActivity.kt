package vn.citizenwallet.app

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ContentResolver
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.WindowManager
import android.widget.ScrollView
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.screens.Screen
import vn.citizenwallet.app.screens.otherWindow
import vn.citizenwallet.app.ui.Ui

/**
 * The one window. It draws the screen on top, passes on what the system tells, and keeps nothing itself: screens live in the [Navigator], which
 * goes on to the next activity when this one is turned. The system saves names of screens only.
 */
class MainActivity : Activity(), Navigator.Host {
    private val app get() = application as WalletApp
    private var nav: Navigator? = null
    private var drawn: Screen? = null

    /** The screens of this window; for tests and for a window that takes over. */
    internal val navigator: Navigator? get() = nav

    override val activity: Activity get() = this

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        // Until a screen says that it may be seen by others.
        window.addFlags(WindowManager.LayoutParams.FLAG_SECURE)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) window.setHideOverlayWindows(true)
        @Suppress("DEPRECATION") // The framework's own way; the newer one is androidx's.
        val kept = lastNonConfigurationInstance as? Navigator
        val other = app.window
        if (kept == null && other != null && other !== this && !other.isFinishing && !other.isDestroyed) {
            anotherWindow(savedInstanceState)
        } else {
            takeUp(kept, savedInstanceState)
        }
    }

    private fun takeUp(kept: Navigator?, saved: Bundle?) {
        app.window = this
        val used = kept ?: app.left ?: Navigator(app.core).apply { restore(saved?.getStringArrayList(PLACES)) }
        app.left = null
        nav = used
        used.attach(this)
        used.core.stateChanged = { used.stateChanged() }
    }

    /** A second window shows nothing of the wallet; it offers to take over. The first one then closes, and its screens go on here. */
    private fun anotherWindow(saved: Bundle?) {
        val here = {
            app.window?.let { first ->
                app.left = first.nav
                first.nav?.detach(first)
                first.nav = null
                first.finish()
            }
            takeUp(null, saved)
            nav?.resume()
            Unit
        }
        setContentView(otherWindow(Ui(this, app.core.words), here) { finish() })
    }

    override fun onResume() {
        super.onResume()
        nav?.resume()
    }

    override fun onPause() {
        nav?.pause()
        super.onPause()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        nav?.let { outState.putStringArrayList(PLACES, it.save()) }
    }

    @Deprecated("The framework's own way; the newer one is androidx's.")
    override fun onRetainNonConfigurationInstance(): Any? = nav

    override fun onDestroy() {
        nav?.detach(this)
        when {
            isFinishing -> nav?.end()
            // The system took the window and left the process: the next window goes on.
            !isChangingConfigurations -> app.left = nav
        }
        if (app.window === this && !isChangingConfigurations) app.window = null
        super.onDestroy()
    }

    @Deprecated("The framework's own way; the newer one is for Android 13.")
    override fun onBackPressed() {
        nav?.back() ?: finish()
    }

    // --- what screens ask of the window

    override fun draw(screen: Screen) {
        val same = drawn === screen
        val root = screen.build(Ui(this, (nav ?: return).core.words))
        setContentView(root)
        drawn = screen
        flag(WindowManager.LayoutParams.FLAG_SECURE, screen.secure)
        flag(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON, screen.awake)
        window.attributes = window.attributes.apply {
            screenBrightness = if (screen.bright) WindowManager.LayoutParams.BRIGHTNESS_OVERRIDE_FULL else WindowManager.LayoutParams.BRIGHTNESS_OVERRIDE_NONE
        }
        if (same && screen.trouble == null && screen.scrolled > 0) {
            val scroll = findScroll(root)
            scroll?.post { scroll.scrollTo(0, screen.scrolled) }
        }
    }

    private fun findScroll(root: View): ScrollView? {
        val group = root as? android.view.ViewGroup ?: return null
        for (at in 0 until group.childCount) (group.getChildAt(at) as? ScrollView)?.let { return it }
        return null
    }

    private fun flag(flag: Int, on: Boolean) = if (on) window.addFlags(flag) else window.clearFlags(flag)

    override fun leave() = finish()

    override fun ask(permission: String) = requestPermissions(arrayOf(permission), PERMISSION)

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<out String>, grantResults: IntArray) {
        // An empty answer means that the question was taken away, as by a rotation: it is asked again when the screen is seen again.
        if (requestCode != PERMISSION || grantResults.isEmpty()) return
        nav?.top?.permission(grantResults[0] == PackageManager.PERMISSION_GRANTED)
    }

    override fun open(action: String) {
        val intent = Intent(action)
        if (action == android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS) intent.data = Uri.fromParts("package", packageName, null)
        try {
            startActivity(intent)
        } catch (_: ActivityNotFoundException) {
            // A phone without that screen: its settings have it somewhere.
            startActivity(Intent(android.provider.Settings.ACTION_SETTINGS))
        }
    }

    override fun choose(type: String, newName: String?): Boolean {
        val intent = Intent(if (newName == null) Intent.ACTION_OPEN_DOCUMENT else Intent.ACTION_CREATE_DOCUMENT)
        intent.addCategory(Intent.CATEGORY_OPENABLE).type = type
        newName?.let { intent.putExtra(Intent.EXTRA_TITLE, it) }
        return try {
            startActivityForResult(intent, FILE)
            true
        } catch (_: ActivityNotFoundException) {
            false
        }
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        super.onActivityResult(requestCode, resultCode, data)
        val uri = data?.data
        // Whoever answers may name anything: a path (`file:`) would be opened with this app's own rights, in the wallet's folder, too.
        if (requestCode == FILE && resultCode == RESULT_OK && uri?.scheme == ContentResolver.SCHEME_CONTENT) nav?.chosen(uri)
    }

    private companion object {
        const val PLACES = "places"
        const val PERMISSION = 1
        const val FILE = 2
    }
}
