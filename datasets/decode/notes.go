package decode

import "fmt"

// Notes say what was out of the ordinary about an image that was decoded: what its file has and Pillow does not apply, or
// what it lets pass.
type Notes uint16

// The notes.
const (
	// Damaged marks a file that Pillow decodes without an error although data is missing or wrong.
	Damaged Notes = 1 << iota
	// BeyondPalette marks pixels whose index the palette does not have: Pillow gives them the grey of the index.
	BeyondPalette
	// Unrefined marks a progressive JPEG without its last scans, which libjpeg smooths and this package does not.
	Unrefined
	// Turned marks an Exif orientation other than upright that was not applied.
	Turned
	// Profile marks an ICC profile, which is not applied.
	Profile
	// Deep marks samples of 16 bits, of which 8 were taken.
	Deep
	// CMYK marks four inks, turned into RGB by a formula.
	CMYK
	// Animated marks a first frame of several.
	Animated
	// Transparent marks transparency that was dropped.
	Transparent
)

// A Note is one of Notes in words.
type Note struct {
	Bit  Notes
	Name string // for tables and JSON
	Text string // after a number of images
	Odd  bool   // worth a warning: the pixels are not what the file's writer meant
}

// AllNotes are the notes in words, the gravest first.
func AllNotes() []Note {
	return []Note{
		{Damaged, "damaged", "are damaged, but Pillow reads them; zoobench takes the same pixels", true},
		{BeyondPalette, "beyond_palette", "have pixels beyond the end of their palette, which become grey as in Pillow", true},
		{Unrefined, "unrefined", "are progressive JPEGs without their last scans; libjpeg smooths them, zoobench does not", true},
		{Turned, "exif_orientation", "lie on their side or upside down: Exif orientations are not applied, as in torchvision", true},
		{CMYK, "cmyk", "are CMYK, turned into RGB by Pillow's formula, inverted as Adobe writes them", false},
		{Deep, "16_bit", "have 16 bits a sample; the upper 8 are taken, as in Pillow", false},
		{Animated, "animated", "are animated; the first frame is taken", false},
		{Transparent, "transparent", "have transparency, which is dropped without blending, as in Pillow", false},
		{Profile, "icc_profile", "have an ICC profile, which is not applied, as in torchvision", false},
	}
}

// NoteCounts counts images by their notes.
type NoteCounts map[Notes]int

// Words are the counts of some images in words: of all notes, or of the odd ones alone.
func (c NoteCounts) Words(images int, all bool) (words []string) {
	for _, note := range AllNotes() {
		if n := c[note.Bit]; n > 0 && (all || note.Odd) {
			words = append(words, fmt.Sprintf("%d of %d images %s", n, images, note.Text))
		}
	}
	return words
}

// Names are the counts by name, nil for none.
func (c NoteCounts) Names() map[string]int {
	var names map[string]int
	for _, note := range AllNotes() {
		if n := c[note.Bit]; n > 0 {
			if names == nil {
				names = map[string]int{}
			}
			names[note.Name] = n
		}
	}
	return names
}

// Add counts an image's notes.
func (c NoteCounts) Add(n Notes) {
	for _, note := range AllNotes() {
		if n&note.Bit != 0 {
			c[note.Bit]++
		}
	}
}
