package vn.citizenwallet.app.ui

import vn.citizenwallet.core.word

/** The words of one language, out of the core's catalogue. [language] is `vi` or `en`. */
class Words(val language: String) {
    private val known = HashMap<String, String>()

    /** The text of a catalogue key; the key itself when the catalogue does not know it. Main thread only. */
    operator fun invoke(key: String): String = known.getOrPut(key) { word(key, language) }

    /** The text of a key with `{name}` replaced by a value, for each pair. */
    operator fun invoke(key: String, vararg values: Pair<String, Any>): String =
        values.fold(this(key)) { text, (name, value) -> text.replace("{$name}", value.toString()) }
}
