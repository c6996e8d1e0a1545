package vn.citizenwallet.app

import android.content.Context

/** What the person chose about the app itself; nothing personal. */
class Settings(context: Context, name: String) {
    private val stored = context.getSharedPreferences(name, Context.MODE_PRIVATE)
    private val system = context.resources.configuration.locales[0].language

    /** What this phone is used as; null until chosen. */
    var use: Use?
        get() = Use.entries.find { it.id == stored.getString("use", null) }
        set(value) = stored.edit().putString("use", value?.id).apply()

    /** `vi` or `en`; at first the phone's, and Vietnamese where that is neither. */
    var language: String
        get() = stored.getString("language", null) ?: if (system == "en") "en" else "vi"
        set(value) = stored.edit().putString("language", value).apply()

    /** `off`, `error`, `warn`, `info` or `debug`: what of the library's own lines goes to the system's log. */
    var logLevel: String
        get() = stored.getString("log-level", null) ?: "off"
        set(value) = stored.edit().putString("log-level", value).apply()

    /** A citizen's wallet or a checker's device. */
    enum class Use(val id: String) { CITIZEN("citizen"), STAFF("staff") }

    companion object {
        /** The languages of the catalogue. */
        val LANGUAGES = listOf("vi", "en")

        /** The levels of the library's own lines, the quietest first. */
        val LOG_LEVELS = listOf("off", "error", "warn", "info", "debug")
    }
}
