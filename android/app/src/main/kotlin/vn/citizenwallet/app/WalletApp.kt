package vn.citizenwallet.app

import android.app.Application
import vn.citizenwallet.android.CitizenWallet
import vn.citizenwallet.android.Hardware
import vn.citizenwallet.android.Service
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.phone.AndroidPhone
import vn.citizenwallet.app.phone.Phone
import vn.citizenwallet.app.phone.builtInService

/**
 * The process. What it stands on is decided here, at build time: a test's own subclass gives ports in software and a service on the loopback
 * interface; nothing else can.
 */
open class WalletApp : Application() {
    /** What lives as long as the process. */
    lateinit var core: AppCore
        protected set

    /** The window that is in use; another one asks before it takes over. */
    internal var window: MainActivity? = null

    /** The screens of a window that was closed in favour of another. */
    internal var left: Navigator? = null

    /** The service of this build; null when it has none. */
    protected open fun service(): Service? = builtInService(this)

    /** Keys, sealing and clocks; null for the phone's own. */
    protected open fun hardware(): Hardware? = null

    /** Card reader and cameras. */
    protected open fun phone(): Phone = AndroidPhone(this)

    override fun onCreate() {
        super.onCreate()
        core = makeCore()
    }

    /** A fresh core, as in a new process. */
    protected fun makeCore(name: String = ""): AppCore {
        val owner = service()?.let { CitizenWallet.start(this, it, hardware(), ::promptTitle) }
        return AppCore(this, owner, phone(), name)
    }

    /** What the system's prompt says: the reason is a key of the catalogue. */
    private fun promptTitle(reason: String): CharSequence = core.words(reason)
}
