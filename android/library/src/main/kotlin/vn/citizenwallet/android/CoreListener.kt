package vn.citizenwallet.android

import android.util.Log
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.StateFlow
import vn.citizenwallet.core.ListenerPort
import vn.citizenwallet.core.ProgressView

/** Something of the wallet is now in [state], a fixed word; [subject]: `wallet`, `activation`, `documents`, `trust`, ... */
data class StateChange(val subject: String, val state: String)

/** What the core tells of its own accord, as flows. The core calls from a queue and is given its thread back at once. */
class CoreListener : ListenerPort {
    private val progressFlow = MutableStateFlow<ProgressView?>(null)
    private val changeFlow = MutableSharedFlow<StateChange>(extraBufferCapacity = 64, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    /** How far the long work of the moment is; null before any. A slow reader sees the newest only. */
    val steps: StateFlow<ProgressView?> get() = progressFlow

    /** State changes, in order. Who reads more than 64 late misses the oldest, and asks the core how things stand. */
    val changes: SharedFlow<StateChange> get() = changeFlow

    override fun progress(progress: ProgressView) {
        progressFlow.value = progress
    }

    override fun stateChanged(subject: String, state: String) {
        changeFlow.tryEmit(StateChange(subject, state))
    }

    override fun log(level: String, target: String, text: String) = AndroidLog.log(level, target, text)
}

/** The system's log. The core's lines hold no personal data. */
object AndroidLog : ListenerPort {
    private const val TAG = "CitizenWallet"

    override fun progress(progress: ProgressView) = Unit

    override fun stateChanged(subject: String, state: String) = Unit

    override fun log(level: String, target: String, text: String) {
        val priority = when (level) {
            "error" -> Log.ERROR
            "warn" -> Log.WARN
            "info" -> Log.INFO
            else -> Log.DEBUG
        }
        Log.println(priority, TAG, "$target: $text")
    }
}
