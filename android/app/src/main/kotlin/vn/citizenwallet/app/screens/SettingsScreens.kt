package vn.citizenwallet.app.screens

import android.view.View
import vn.citizenwallet.app.R
import vn.citizenwallet.app.Settings
import vn.citizenwallet.app.nav.Names
import vn.citizenwallet.app.nav.Navigator
import vn.citizenwallet.app.nav.Place
import vn.citizenwallet.app.ui.Typed
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import vn.citizenwallet.core.DisplayView
import vn.citizenwallet.core.libraryVersion

/** Settings of the app and what can be done with the wallet or the staff device as a whole. */
class SettingsScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private val staff get() = core.settings.use == Settings.Use.STAFF
    private var report: DisplayView? = null

    override val needs get() = if (staff) Needs.OPEN else Needs.UNLOCKED

    override fun title(words: Words) = words("app.settings.title")

    override fun content(ui: Ui): List<View> {
        val words = ui.words
        return listOf(
            ui.link(R.drawable.icon_list, words("app.language.title"), words("app.language.${words.language}")) { nav.go(Place(Names.LANGUAGE)) },
        ) + (if (staff) emptyList() else listOf(ui.link(R.drawable.icon_lock, words("app.passcode.title")) { nav.go(Place(Names.PASSCODE)) })) + listOf(
            ui.link(R.drawable.icon_sync, words("app.settings.sync"), words(if (staff) "app.staff.sync-remark" else "app.settings.sync-remark")) { sync() },
        ) + report?.let { groups(ui, it) }.orEmpty() + (
            if (staff) emptyList() else listOf(ui.link(R.drawable.icon_lock, words("app.settings.lock"), words("app.settings.lock-remark")) { lock() })
            ) + listOf(
            ui.link(R.drawable.icon_list, words("app.log-level.title"), words("app.log-level.${core.settings.logLevel}")) { nav.go(Place(Names.LOG_LEVEL)) },
            ui.link(R.drawable.icon_shield, words("app.about.title")) { nav.go(Place(Names.ABOUT)) },
            ui.link(R.drawable.icon_warning, words(if (staff) "app.remove.staff-title" else "app.remove.title"), words("app.settings.remove-remark")) { nav.go(Place(Names.REMOVE)) },
        )
    }

    private fun sync() = work {
        report = null
        report = if (staff) core.openVerifier().sync().display else core.openWallet().sync().display
    }

    private fun lock() {
        core.lock()
        nav.home()
    }
}

/** The language of the app. */
class LanguageScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    override val secure = false

    override fun title(words: Words) = words("app.language.title")

    override fun content(ui: Ui): List<View> = listOf(
        ui.card(
            Settings.LANGUAGES.map { language ->
                ui.choice(ui.words("app.language.$language"), language == ui.words.language) {
                    core.setLanguage(language)
                    redraw()
                }
            },
        ),
    )
}

/** How much of the library's own lines goes to the system's log. */
class LogLevelScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    override val secure = false

    override fun title(words: Words) = words("app.log-level.title")

    override fun content(ui: Ui): List<View> = listOf(
        ui.body(ui.words("app.log-level.what")),
        ui.card(
            Settings.LOG_LEVELS.map { level ->
                ui.choice(ui.words("app.log-level.$level"), level == core.settings.logLevel) {
                    core.settings.logLevel = level
                    core.applyLogLevel()
                    redraw()
                }
            },
        ),
    )
}

/** What this is. */
class AboutScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    override val needs = Needs.NOTHING
    override val secure = false

    override fun title(words: Words) = words("app.about.title")

    override fun content(ui: Ui): List<View> = listOf(
        ui.title(ui.words("app.name")),
        ui.small(ui.words("app.about.version", "version" to libraryVersion())),
        ui.body(ui.words("app.first.what")),
        ui.card(ui.heading(ui.words("app.about.kept-title")), ui.body(ui.words("app.about.kept"))),
        ui.card(ui.heading(ui.words("app.about.permissions-title")), ui.body(ui.words("app.about.permissions"))),
    )
}

/** Another passcode. */
class PasscodeScreen(nav: Navigator, place: Place) : Screen(nav, place) {
    private val old = Typed()
    private val first = Typed()
    private val second = Typed()
    private var remark: String? = null

    /** It was changed. */
    private var changed = false

    override fun title(words: Words) = words("app.passcode.title")

    override fun content(ui: Ui): List<View> {
        if (changed) {
            return listOf(
                doneBlock(ui, "app.passcode.changed"),
                ui.primary(ui.words("app.passcode.back")) { nav.back() },
            )
        }
        return listOfNotNull(
            remark?.let { remarkBlock(ui, it) },
            ui.field(ui.words("app.passcode.old"), old, Ui.Field.PASSCODE),
            ui.field(ui.words("app.create.first"), first, Ui.Field.PASSCODE, ui.words("app.create.rule")),
            ui.field(ui.words("app.create.second"), second, Ui.Field.PASSCODE) { change() },
            ui.primary(ui.words("app.passcode.do")) { change() },
        )
    }

    private fun change() {
        remark = newPasscodeRemark(first, second)
        if (remark != null) return redraw()
        val (before, after) = old.bytes() to first.bytes()
        old.wipe()
        work(repeat = false) {
            try {
                core.openWallet().changePasscode(before, after)
            } finally {
                before.fill(0)
                after.fill(0)
            }
            wipe()
            changed = true
        }
    }

    private fun wipe() = listOf(old, first, second).forEach { it.wipe() }

    override fun forget() = wipe()

    override fun close() {
        wipe()
        super.close()
    }
}
