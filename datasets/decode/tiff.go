package decode

import "image"

// Tags and values of TIFF that decide how pixels are read.
const (
	tiffCompression = 259
	tiffGroup3      = 3
	tiffGroup4      = 4
	tiffBlackIsZero = 1
)

// fixFax inverts a fax's pixels where the file says that black is zero: runs of black are ones all the same, to libtiff and
// so to Pillow, and the library takes them for zeros.
func fixFax(data []byte, m image.Image) {
	compression := tiffValue(data, tiffCompression)
	gray, ok := m.(*image.Gray)
	if !ok || compression != tiffGroup3 && compression != tiffGroup4 || tiffValue(data, tiffPhotometric) != tiffBlackIsZero {
		return
	}
	for i, v := range gray.Pix {
		gray.Pix[i] = 255 - v
	}
}
