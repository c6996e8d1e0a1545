package vn.citizenwallet.app.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** Calls [tick] each second, at once for the first time, until it says false. */
internal fun CoroutineScope.launchTicking(tick: () -> Boolean): Job = launch {
    while (tick()) delay(1_000)
}
