package vn.citizenwallet.android

import android.app.Application
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.Handler
import android.os.Looper
import android.os.SystemClock

/** Calls [lock] when the screen goes off and when the app was in the background for [graceMillis], the phone's sleep included. */
internal class AutoLock(application: Application, windows: Windows, private val graceMillis: Long, private val lock: () -> Unit) : Windows.Watcher {
    private val main = Handler(Looper.getMainLooper())
    private val late = Runnable { lock() }
    private var leftAt: Long? = null

    init {
        windows.watch(this)
        val screen = object : BroadcastReceiver() {
            override fun onReceive(context: Context?, intent: Intent?) = lock()
        }
        application.registerReceiver(screen, IntentFilter(Intent.ACTION_SCREEN_OFF))
    }

    override fun onBackground() {
        leftAt = SystemClock.elapsedRealtime()
        // This clock stands still while the phone sleeps: the other is read when the app comes back.
        main.postDelayed(late, graceMillis)
    }

    override fun onForeground() {
        main.removeCallbacks(late)
        leftAt?.let { if (SystemClock.elapsedRealtime() - it >= graceMillis) lock() }
        leftAt = null
    }
}
