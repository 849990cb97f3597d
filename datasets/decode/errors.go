package decode

import "fmt"

// A FormatError reports a file that is no image, or a damaged one.
type FormatError struct {
	Format string // "jpeg", "png" or "bmp"; empty where the file is none of them
	Offset int    // in bytes from the file's start, where known
	What   string // what is wrong
}

// Error names the format, the place and what is wrong there.
func (e *FormatError) Error() string { return describe(e.Format, e.Offset, e.What) }

// A TruncatedError reports a file that ends too early.
type TruncatedError struct {
	Format string
	Offset int    // the length of the file in bytes, or where its data ran out
	What   string // where in its structure the file ends
}

// Error names the format and the place where the file ends.
func (e *TruncatedError) Error() string { return describe(e.Format, e.Offset, "cut off "+e.What) }

// An UnsupportedError reports a file that is sound as far as it was read and
// uses something that this package does not decode.
type UnsupportedError struct {
	Format  string
	Feature string
}

// Error names the format and the feature.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("decode: %s: %s is not supported", e.Format, e.Feature)
}

// A SizeError reports an image that claims more pixels than the decoder's
// limit; nothing was allocated for it.
type SizeError struct {
	Format                   string
	Width, Height, MaxPixels int
}

// Error names the size claimed and the limit.
func (e *SizeError) Error() string {
	return fmt.Sprintf("decode: %s: %d×%d pixels, want at most %d in all", e.Format, e.Width, e.Height, e.MaxPixels)
}

func describe(format string, offset int, what string) string {
	s := "decode: "
	if format != "" {
		s += format + ": "
	}
	if offset > 0 {
		s += fmt.Sprintf("byte %d: ", offset)
	}
	return s + what
}

// quoteHead shows the first bytes of a file that no format claims.
func quoteHead(data []byte) string {
	if len(data) > 8 {
		return fmt.Sprintf("%q…", data[:8])
	}
	return fmt.Sprintf("%q", data)
}
