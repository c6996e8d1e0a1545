package vn.citizenwallet.app.phone

import android.app.Activity
import android.content.Context
import android.nfc.NfcAdapter
import org.json.JSONException
import org.json.JSONObject
import vn.citizenwallet.android.IsoDepChannel
import vn.citizenwallet.android.Service
import vn.citizenwallet.core.CardChannelPort
import java.io.IOException

/** The phone's own card reader and cameras. */
class AndroidPhone(private val context: Context) : Phone {
    override fun cardReader(): CardReader = NfcCardReader()

    override val camera: Camera by lazy { DeviceCamera(context) }
}

/** Reader mode of the phone's NFC. */
class NfcCardReader : CardReader {
    private val channel = IsoDepChannel()

    override fun state(activity: Activity): CardReader.State {
        val adapter = NfcAdapter.getDefaultAdapter(activity) ?: return CardReader.State.NONE
        return if (adapter.isEnabled) CardReader.State.READY else CardReader.State.OFF
    }

    override fun start(activity: Activity) = channel.start(activity)

    override fun stop(activity: Activity) = channel.stop(activity)

    override suspend fun card(): CardChannelPort {
        channel.held()
        return channel
    }
}

/**
 * The service that this build belongs to, out of its assets: `service/service.json` (`{"url": "https://...", "trust_floor": 1}`), `tls-root.der` and
 * `trust-root.json` beside it. Null when the build has none, as one made without a service.
 */
fun builtInService(context: Context): Service? = try {
    val read = { name: String -> context.assets.open("service/$name").use { it.readBytes() } }
    val settings = JSONObject(String(read("service.json")))
    Service(settings.getString("url"), read("tls-root.der"), read("trust-root.json"), settings.getLong("trust_floor").toULong())
} catch (_: IOException) {
    null
} catch (_: JSONException) {
    null
}
