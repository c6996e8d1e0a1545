package vn.citizenwallet.android

import android.provider.Settings
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import vn.citizenwallet.core.contractClock

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
class AndroidClockTest {
    @Test
    fun `the contract of the clocks`() {
        val context = RuntimeEnvironment.getApplication()
        Settings.Global.putInt(context.contentResolver, Settings.Global.BOOT_COUNT, 7)
        val clock = DeviceClock(context)
        val report = contractClock(clock)
        assertEquals("", report.brokenClause)
        assertTrue(report.holds)
        assertEquals("boot-7", clock.bootId())
    }
}
