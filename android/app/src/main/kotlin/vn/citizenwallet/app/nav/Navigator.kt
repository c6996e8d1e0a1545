package vn.citizenwallet.app.nav

import android.net.Uri
import vn.citizenwallet.app.AppCore
import vn.citizenwallet.app.Settings
import vn.citizenwallet.app.screens.Screen
import vn.citizenwallet.app.screens.makeScreen
import vn.citizenwallet.core.WalletState

/**
 * The stack of screens. It outlives the activity that is turned; when the process ends, only the places are kept.
 *
 * In front of screens that need it stands the gate: opening the wallet, and the passcode. Behind it the stack stays as it is.
 */
class Navigator(val core: AppCore) {
    /** Who draws: the activity. */
    interface Host {
        /** The window of the moment. */
        val activity: android.app.Activity

        /** Asks for a permission; the answer comes to [Screen.permission] of the screen that is seen then. */
        fun ask(permission: String)

        /** Opens one of the system's own screens by its action. */
        fun open(action: String)

        /**
         * Lets the person choose a file of that [type], or with a [newName] a place for a new one; it comes to [chosen]. False when the phone has no
         * screen for it.
         */
        fun choose(type: String, newName: String? = null): Boolean

        /** Draws a screen anew. */
        fun draw(screen: Screen)

        /** The stack is empty. */
        fun leave()
    }

    private val stack = ArrayList<Screen>()
    private var gate: Screen? = null

    /** Who draws now; null while no activity is there. */
    var host: Host? = null
        private set
    private var shown: Screen? = null
    private var resumed = false

    /** The screen that is seen. */
    val top: Screen? get() = gate ?: stack.lastOrNull()

    /** The places of the stack, for saving. */
    fun save(): ArrayList<String> = ArrayList(stack.map { it.place.text() })

    /** Takes up a saved stack; nothing when there is none. */
    fun restore(places: List<String>?) {
        if (stack.isNotEmpty()) return
        places.orEmpty().mapTo(stack) { makeScreen(this, Place.of(it)) }
    }

    /** An activity draws from now on. */
    fun attach(activity: Host) {
        host = activity
        if (stack.isEmpty()) home() else present()
    }

    /** That activity draws no more. */
    fun detach(activity: Host) {
        if (host === activity) host = null
    }

    /** The activity is in front. */
    fun resume() {
        resumed = true
        present()
    }

    /** The activity is no longer in front. */
    fun pause() {
        resumed = false
        hideShown()
    }

    /** The person chose a file: it is for the screen that asked, though the passcode may stand before that now. */
    fun chosen(uri: Uri) {
        stack.lastOrNull()?.chosen(uri)
    }

    /** Goes on to a place. */
    fun go(place: Place) {
        stack += makeScreen(this, place)
        present()
    }

    /** Goes on to a place to which nobody comes back from: the present one is left. */
    fun replace(place: Place) {
        stack.removeLastOrNull()?.let(::leave)
        go(place)
    }

    /** Ends all screens and begins at a place. */
    fun begin(vararg places: Place) {
        dropGate()
        val old = stack.toList()
        stack.clear()
        old.forEach(::leave)
        places.mapTo(stack) { makeScreen(this, it) }
        present()
    }

    /** Begins where the app begins. */
    fun home() = begin(
        when (core.settings.use) {
            null -> Place(Names.FIRST)
            Settings.Use.CITIZEN -> Place(Names.DOCUMENTS)
            Settings.Use.STAFF -> Place(Names.STAFF)
        },
    )

    /** Back to the last place of that name; home when there is none. */
    fun backTo(name: String) {
        if (stack.none { it.place.screen == name }) return home()
        dropGate()
        while (stack.last().place.screen != name) leave(stack.removeAt(stack.lastIndex))
        present()
    }

    /** One step back. */
    fun back() {
        if (gate != null) {
            host?.leave()
            return
        }
        if (stack.lastOrNull()?.back() == true) return
        if (stack.size <= 1) {
            host?.leave()
            return
        }
        leave(stack.removeAt(stack.lastIndex))
        present()
    }

    /** Ends everything: the activity is gone for good. */
    fun end() {
        hideShown()
        dropGate()
        stack.forEach(::leave)
        stack.clear()
    }

    /** Shows what is on top, or what stands before it. */
    fun present() {
        val wanted = stack.lastOrNull() ?: return
        // All of them: below a screen that anybody may see there may be one with a document.
        if (core.wallet?.state() == WalletState.LOCKED) stack.forEach { it.forget() }
        val needed = gateFor(wanted)
        if (needed == null) dropGate() else if (gate?.place?.screen != needed) {
            dropGate()
            gate = makeScreen(this, Place(needed))
        }
        val top = top ?: return
        if (shown !== top) hideShown()
        host?.draw(top)
        if (resumed && host != null && shown !== top) {
            shown = top
            top.shown()
        }
    }

    /**
     * The wallet says that it is open or locked now. A gate that is at work goes on: what it awaits is about to come, and giving it up at this moment
     * would lock the wallet again.
     */
    fun stateChanged() {
        if (gate?.working != true) present()
    }

    /** The work of a screen has ended; a gate that is the wrong one by now goes. */
    fun ended(screen: Screen) {
        val wanted = stack.lastOrNull() ?: return
        if (gate === screen && gateFor(wanted) != screen.place.screen) present()
    }

    /** Draws the screen anew when it is the one that is seen. */
    fun redraw(screen: Screen) {
        if (top === screen) host?.draw(screen)
    }

    private fun gateFor(screen: Screen): String? {
        if (screen.needs == Screen.Needs.NOTHING) return null
        if (core.settings.use == Settings.Use.STAFF) return Names.START.takeIf { core.verifier == null }
        val state = core.wallet?.state()
        return when {
            state == null || state == WalletState.CLOSED -> Names.START
            screen.needs == Screen.Needs.OPEN -> null
            state == WalletState.NEW -> Names.CREATE
            state == WalletState.LOCKED -> Names.UNLOCK
            else -> null
        }
    }

    private fun hideShown() {
        shown?.hidden()
        shown = null
    }

    private fun dropGate() {
        gate?.let(::leave)
        gate = null
    }

    private fun leave(screen: Screen) {
        if (shown === screen) hideShown()
        screen.close()
    }
}
