// Package words says how far one word is from another, for the errors that name what was probably meant.
//
// The contract: words are compared by bytes, and the result is the same in both directions as long as both have at most 64
// bytes. A longer first word costs no more time than one of 64 bytes, so that it may come from any file.
//
// It leaves to its callers which words are valid, how near is near enough, and the text of the error.
package words

// longest is how much of a word from outside is looked at, in bytes: no valid word is that long.
const longest = 64

// Distance returns the least number of insertions, deletions, replacements and swaps of neighbours that make b of a (the
// restricted Damerau-Levenshtein distance). What lies past 64 bytes of a is left out.
func Distance(a, b string) int {
	a = a[:min(len(a), longest)]
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		older, old, row = old, row, older
		row[0] = i + 1
		for j := range len(b) {
			d := old[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, old[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, older[j-1]+1)
			}
			row[j+1] = d
		}
	}
	return row[len(b)]
}
