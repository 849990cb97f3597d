package datasets

import "zoobench/datasets/decode"

// Notes say what is out of the ordinary about an image's file, as package decode finds it.
type Notes = decode.Notes

// NoteCounts counts images by their notes.
type NoteCounts = decode.NoteCounts
