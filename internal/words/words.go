// Package words says how far one word is from another, for the errors that name what was probably meant.
//
// The contract: words are compared by bytes, and the result is the same in both directions as long as both have at most 64
// bytes. A longer first word costs no more time than one of 64 bytes, so that it may come from any file.
//
// It leaves to its callers which words are valid, and the text of the error.
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

// Nearest returns the valid word that is nearest to word, the first of several, and reports whether it is near enough to be
// what was meant: at most two changes, or a third of its letters.
func Nearest(word string, valid []string) (nearest string, near bool) {
	least := longest + 1
	for _, v := range valid {
		if d := Distance(word, v); nearest == "" || d < least {
			nearest, least = v, d
		}
	}
	return nearest, nearest != "" && least <= max(2, len(nearest)/3)
}
