package vn.citizenwallet.android

import android.content.Context
import android.os.SystemClock
import android.provider.Settings
import vn.citizenwallet.core.ClockPort
import vn.citizenwallet.core.PortFault

/** The phone's clocks. */
class DeviceClock(context: Context) : ClockPort {
    private val resolver = context.applicationContext.contentResolver

    /** The wall clock, which the user may set: seconds since 1970-01-01 UTC. */
    override fun wallSeconds(): Long = Math.floorDiv(System.currentTimeMillis(), 1000L)

    /** Milliseconds since the phone started, sleep included. */
    override fun monotonicMillis(): ULong = SystemClock.elapsedRealtime().toULong()

    /**
     * The phone counts its starts. Without the count no name is given: one that might come twice would let time be believed that nobody
     * measured.
     */
    override fun bootId(): String = try {
        "boot-" + Settings.Global.getInt(resolver, Settings.Global.BOOT_COUNT)
    } catch (_: Settings.SettingNotFoundException) {
        throw PortFault.Unavailable()
    }
}
