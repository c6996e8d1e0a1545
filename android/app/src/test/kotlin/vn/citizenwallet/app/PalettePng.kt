package vn.citizenwallet.app

import android.graphics.Bitmap
import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.util.zip.CRC32
import java.util.zip.Deflater
import java.util.zip.DeflaterOutputStream

/** Writes a drawing as PNG with a palette of at most 256 colours: a screen has few, so that hardly a pixel changes and the file stays small. */
object PalettePng {
    private const val COLOURS = 256

    /** The file. */
    fun of(bitmap: Bitmap): ByteArray {
        val (width, height) = bitmap.width to bitmap.height
        val pixels = IntArray(width * height).also { bitmap.getPixels(it, 0, width, 0, 0, width, height) }
        val palette = palette(pixels)
        val index = HashMap<Int, Int>()
        val rows = ByteArrayOutputStream()
        for (y in 0 until height) {
            rows.write(0)
            for (x in 0 until width) {
                val colour = pixels[y * width + x] and 0xffffff
                rows.write(index.getOrPut(colour) { nearest(palette, colour) })
            }
        }
        val out = ByteArrayOutputStream()
        out.write(byteArrayOf(0x89.toByte(), 'P'.code.toByte(), 'N'.code.toByte(), 'G'.code.toByte(), 13, 10, 26, 10))
        chunk(out, "IHDR") { it.writeInt(width); it.writeInt(height); it.write(byteArrayOf(8, 3, 0, 0, 0)) }
        chunk(out, "PLTE") { data -> palette.forEach { data.write(it shr 16); data.write(it shr 8); data.write(it) } }
        chunk(out, "IDAT") { data -> DeflaterOutputStream(data, Deflater(Deflater.BEST_COMPRESSION)).apply { write(rows.toByteArray()); finish() } }
        chunk(out, "IEND") {}
        return out.toByteArray()
    }

    private fun chunk(out: ByteArrayOutputStream, type: String, write: (DataOutputStream) -> Unit) {
        val body = ByteArrayOutputStream()
        DataOutputStream(body).run { writeBytes(type); write(this); flush() }
        val bytes = body.toByteArray()
        DataOutputStream(out).run {
            writeInt(bytes.size - 4)
            write(bytes)
            writeInt(CRC32().apply { update(bytes) }.value.toInt())
        }
    }

    /** The colours most pixels have, after taking off as few low bits as needed. */
    private fun palette(pixels: IntArray): IntArray {
        val counts = HashMap<Int, Int>()
        pixels.forEach { counts.merge(it and 0xffffff, 1, Int::plus) }
        if (counts.size <= COLOURS) return counts.keys.toIntArray()
        val chosen = LinkedHashSet<Int>()
        counts.entries.sortedByDescending { it.value }.take(COLOURS / 2).forEach { chosen += it.key }
        // The rest stands for what is near it: one colour for each coarse cell, the most frequent first.
        val cells = counts.entries.groupBy { it.key and 0xf0f0f0 }.values.sortedByDescending { cell -> cell.sumOf { it.value } }
        for (cell in cells) {
            if (chosen.size == COLOURS) break
            chosen += cell.maxByOrNull { it.value }!!.key
        }
        return chosen.toIntArray()
    }

    private fun nearest(palette: IntArray, colour: Int): Int {
        var best = 0
        var least = Int.MAX_VALUE
        for (at in palette.indices) {
            val other = palette[at]
            val red = (other shr 16 and 0xff) - (colour shr 16 and 0xff)
            val green = (other shr 8 and 0xff) - (colour shr 8 and 0xff)
            val blue = (other and 0xff) - (colour and 0xff)
            val distance = red * red * 2 + green * green * 3 + blue * blue
            if (distance < least) {
                least = distance
                best = at
            }
        }
        return best
    }
}
