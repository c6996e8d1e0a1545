package vn.citizenwallet.app.nav

/** Where the person is: a screen's name and what it is about (a document's id, a name in the session). This is all that is ever saved. */
data class Place(val screen: String, val about: String = "") {
    /** As saved. */
    fun text(): String = "$screen $about"

    companion object {
        /** From what [text] gave. */
        fun of(text: String): Place = Place(text.substringBefore(' '), text.substringAfter(' ', ""))
    }
}
