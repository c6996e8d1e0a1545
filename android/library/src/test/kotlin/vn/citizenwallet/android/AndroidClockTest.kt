package vn.citizenwallet.android

import android.provider.Settings
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import vn.citizenwallet.core.PortFault
import vn.citizenwallet.core.contractClock
import vn.citizenwallet.core.contractListener
import vn.citizenwallet.phone.Phone

@RunWith(RobolectricTestRunner::class)
class AndroidClockTest {
    private val phone = Phone()

    @After
    fun end() = phone.close()

    @Test
    fun `the contract of the clocks`() {
        Settings.Global.putInt(phone.application.contentResolver, Settings.Global.BOOT_COUNT, 7)
        val clock = DeviceClock(phone.application)
        val report = phone.worker { contractClock(clock) }
        assertEquals("", report.brokenClause)
        assertEquals("boot-7", clock.bootId())
    }

    @Test
    fun `badInput a phone that does not count its starts gives no name for one`() {
        val clock = DeviceClock(phone.application)
        assertThrows(PortFault.Unavailable::class.java) { clock.bootId() }
        assertFalse("no two names of one start are the same", phone.worker { contractClock(clock) }.holds)
    }

    @Test
    fun `the contract of the listener`() {
        val listener = CoreListener()
        assertEquals("", phone.worker { contractListener(listener) }.brokenClause)
        assertEquals("contract", listener.steps.value?.step)
    }
}
