package weights

import "fmt"

// A FormatError says that a file breaks its own format: it is cut short, lies about a length, or is not a checkpoint.
type FormatError struct {
	File   string // base name
	Offset int64  // position in the file, in bytes; -1 where the fault has none
	Item   string // the tensor or entry, "" where there is none
	Msg    string // what it has and what was wanted
}

// Error is "weights: FILE: ITEM: MSG (at byte OFFSET)".
func (e *FormatError) Error() string { return describe(e.File, e.Item, e.Msg, e.Offset) }

// An UnsupportedError says that a file is sound as far as can be told but holds something that this package does not
// read, or would have to execute.
type UnsupportedError struct {
	File   string // base name
	Offset int64  // position in the file, in bytes; -1 where there is none
	Item   string // the tensor or entry, "" where there is none
	Msg    string // what it is, and what can be done where something can
}

// Error is "weights: FILE: ITEM: MSG (at byte OFFSET)".
func (e *UnsupportedError) Error() string { return describe(e.File, e.Item, e.Msg, e.Offset) }

func describe(file, item, msg string, offset int64) string {
	s := "weights: " + file + ": "
	if item != "" {
		s += clip(item) + ": "
	}
	s += msg
	if offset >= 0 {
		s += fmt.Sprintf(" (at byte %d)", offset)
	}
	return s
}

// clip makes a name from a file fit for an error's line: no control characters, and no more than 120 bytes.
func clip(name string) string {
	const most = 120
	plain := true
	for _, r := range name {
		plain = plain && r >= ' ' && r != 0x7f && r != 0xfffd
	}
	if len(name) <= most && plain {
		return name
	}
	if len(name) > most {
		return fmt.Sprintf("%q… (%d bytes)", name[:most], len(name))
	}
	return fmt.Sprintf("%q", name)
}
