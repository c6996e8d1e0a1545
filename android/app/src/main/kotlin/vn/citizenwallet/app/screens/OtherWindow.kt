package vn.citizenwallet.app.screens

import android.view.View
import android.widget.ScrollView
import vn.citizenwallet.app.R
import vn.citizenwallet.app.ui.Ui

/** What a second window says, which shows nothing of the wallet: [here] takes over, [there] closes it. */
fun otherWindow(ui: Ui, here: () -> Unit, there: () -> Unit): View {
    val words = ui.words
    val block = ui.card(
        ui.heading(words("app.window.title")),
        ui.body(words("app.window.what")),
        ui.primary(words("app.window.here"), here),
        ui.secondary(words("app.window.there"), there),
    )
    val body = ui.column(block).apply { setPadding(ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.HUGE), ui.dp(Ui.Space.LARGE), ui.dp(Ui.Space.HUGE)) }
    return ScrollView(ui.context).apply {
        setBackgroundColor(ui.color(R.color.ground))
        addView(body)
    }
}
