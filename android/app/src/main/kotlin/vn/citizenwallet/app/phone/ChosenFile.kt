package vn.citizenwallet.app.phone

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import android.provider.DocumentsContract
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import vn.citizenwallet.core.WalletException
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream

/**
 * A file that the person chose by the system's own screen, which gives the app this one file and no other. It may lie with any app or in a cloud: it is
 * read off the main thread, it may be anything, and it may be gone.
 */
class ChosenFile(private val resolver: ContentResolver, private val uri: Uri) {
    /** All bytes, of which there may be [most]; a larger file is cut there, and whoever reads it will say that it is too large. */
    suspend fun read(most: Int): ByteArray = io {
        input().use { from ->
            val out = java.io.ByteArrayOutputStream()
            val buffer = ByteArray(BUFFER)
            while (out.size() < most) {
                val count = from.read(buffer, 0, minOf(buffer.size, most - out.size()))
                if (count < 0) break
                out.write(buffer, 0, count)
            }
            out.toByteArray()
        }
    }

    /** Puts [bytes] into it. What could not be written whole is removed. */
    suspend fun write(bytes: ByteArray) = io {
        try {
            output().use { it.write(bytes) }
        } catch (error: IOException) {
            runCatching { DocumentsContract.deleteDocument(resolver, uri) }
            throw error
        }
    }

    /** The luminance of the picture in it, taken down to a size in which a code can still be read; null when it is no picture. */
    suspend fun picture(): Frame? = io {
        val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        input().use { BitmapFactory.decodeStream(it, null, size) }
        var sample = 1
        while (maxOf(size.outWidth, size.outHeight) / sample > MOST_PIXELS) sample *= 2
        input().use { BitmapFactory.decodeStream(it, null, BitmapFactory.Options().apply { inSampleSize = sample }) }?.let(::luminance)
    }

    private fun input(): InputStream = resolver.openInputStream(uri) ?: throw FileNotFoundException()

    private fun output(): OutputStream = resolver.openOutputStream(uri, "wt") ?: throw FileNotFoundException()

    private suspend fun <T> io(work: () -> T): T = withContext(Dispatchers.IO) {
        try {
            work()
        } catch (_: IOException) {
            throw WalletException.Storage("disk")
        } catch (_: RuntimeException) {
            // The other app ended, took the file back, or does not keep to the rules.
            throw WalletException.Storage("disk")
        }
    }

    private companion object {
        const val BUFFER = 64 * 1024

        /** Larger side of a picture in pixels. */
        const val MOST_PIXELS = 2400

        /** ITU-R BT.601; what is transparent counts as white. */
        fun luminance(picture: Bitmap): Frame {
            val (width, height) = picture.width to picture.height
            val row = IntArray(width)
            val out = ByteArray(width * height)
            for (y in 0 until height) {
                picture.getPixels(row, 0, width, 0, y, width, 1)
                for (x in 0 until width) {
                    val pixel = row[x]
                    val luma = (299 * (pixel shr 16 and 0xff) + 587 * (pixel shr 8 and 0xff) + 114 * (pixel and 0xff)) / 1000
                    val opaque = pixel ushr 24
                    out[y * width + x] = ((luma * opaque + 255 * (255 - opaque)) / 255).toByte()
                }
            }
            picture.recycle()
            return Frame(width, height, out)
        }
    }
}
