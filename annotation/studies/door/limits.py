"""What one file may cost. Reached limits are reasons in the import report, never crashes."""

MEBIBYTE = 1024 * 1024

FILE_BYTES = 768 * MEBIBYTE
INFLATED_BYTES = 256 * MEBIBYTE  # deflated data sets: 522 KB became 1.07 GB in our measurement
FRAME_PIXELS = 96 * 1024 * 1024
DECODED_BYTES = 640 * MEBIBYTE
FRAMES = 20_000
NESTING = 12

MEMORY_BYTES = 1024 * MEBIBYTE  # address space beyond that of the idle fork server
OUTPUT_BYTES = DECODED_BYTES + 16 * MEBIBYTE
CPU_SECONDS = 10
WALL_SECONDS = 30
IDLE_SECONDS = 120  # then a fork server that nobody asks ends
TEXT_WALL_SECONDS = 120  # for a search for text: long on a busy machine, though CPU_SECONDS bind it too
OPEN_FILES = 160

# Small files share a child, since forking costs as much as reading them; when it dies, each is judged alone.
BATCH_FILES = 32
BATCH_BYTES = 20 * MEBIBYTE

# What a codec can gain at most: PS3.5 Annex G packs 128 equal bytes into 2; for the others a generous bound
# (a blank JPEG 2000 or JPEG-LS frame is a few hundred bytes).
RLE_GAIN = 64
CODEC_GAIN = 20_000
