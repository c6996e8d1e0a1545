package vn.citizenwallet.app

import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import vn.citizenwallet.core.catalogue
import java.io.File

/** The words of the screens: every key that the sources use is in the catalogue, in both languages, and no words for people are anywhere else. */
@RunWith(RobolectricTestRunner::class)
class CatalogueTest {
    private val sources = File(System.getProperty("wallet.source") ?: error("-Dwallet.source=FOLDER is missing"), "main/kotlin")
        .walkTopDown().filter { it.extension == "kt" }.toList()
    private val catalogues = listOf("vi", "en").associateWith { JSONObject(catalogue(it)) }

    /** String literals of a source, comments and annotations left out. */
    private fun literals(file: File): List<String> {
        val code = file.readLines().filterNot { it.trim().startsWith("*") || it.trim().startsWith("/*") || it.trim().startsWith("//") || it.trim().startsWith("@") }.joinToString("\n")
        return LITERAL.findAll(code).map { it.groupValues[1] }.toList()
    }

    @Test
    fun everyKeyOfTheSourcesIsInBothLanguages() {
        assertTrue("the sources were found", sources.size > 15)
        val used = sources.flatMap { literals(it) }.filter { KEY.matches(it) }.toSortedSet()
        assertTrue("keys were found", used.size > 100)
        for ((language, words) in catalogues) {
            val missing = used.filterNot { words.optString(it).isNotBlank() }
            assertEquals("missing in $language", emptyList<String>(), missing)
        }
    }

    @Test
    fun everyFamilyOfKeysIsInBothLanguages() {
        val all = catalogues.getValue("vi").keys().asSequence().toSortedSet()
        assertEquals(all, catalogues.getValue("en").keys().asSequence().toSortedSet())
        for (language in Settings.LANGUAGES) assertTrue("app.language.$language" in all)
        for (level in Settings.LOG_LEVELS) assertTrue("app.log-level.$level" in all)
    }

    @Test
    fun noWordForPeopleIsInTheSources() {
        val words = sources.flatMap { file -> literals(file).map { file.name to it } }.filter { (_, text) ->
            val plain = text.replace(Regex("\\$\\{[^}]*\\}|\\$[a-zA-Z]+"), "")
            // Words have spaces between them or letters that no key has.
            plain.any { it.isLetter() && it.code > 127 } || Regex("\\p{L}+\\s+\\p{L}+").containsMatchIn(plain) || Regex("^\\p{Lu}\\p{Ll}+").containsMatchIn(plain)
        }
        assertEquals(emptyList<Pair<String, String>>(), words)
    }

    private companion object {
        val LITERAL = Regex("\"((?:[^\"\\\\]|\\\\.)*)\"")
        val KEY = Regex("app\\.[a-z0-9.-]+")
    }
}
