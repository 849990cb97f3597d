package words

import (
	"fmt"
	"strings"
	"testing"
)

func ExampleDistance() {
	for _, valid := range []string{"avx2", "avx512", "generic"} {
		fmt.Println(valid, Distance("axv2", valid))
	}
	// Output:
	// avx2 1
	// avx512 3
	// generic 7
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"models", "models", 0}, {"modles", "models", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"axv2", "avx2", 1},
		{strings.Repeat("a", 1_000_000), "a", 63},
	} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("Distance(%.20q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	valid := []string{"threads", "batch", "img_size"}
	for _, tt := range []struct {
		word string
		want string
		near bool
	}{
		{"thraeds", "threads", true}, {"batches", "batch", true}, {"img-size", "img_size", true}, {"threads", "threads", true},
		{"latency", "batch", false}, {"", "batch", false},
	} {
		if got, near := Nearest(tt.word, valid); near != tt.near || near && got != tt.want {
			t.Errorf("Nearest(%q) = %q, %v, want %q, %v", tt.word, got, near, tt.want, tt.near)
		}
	}
	if got, near := Nearest("threads", nil); got != "" || near {
		t.Errorf("of no words: %q, %v", got, near)
	}
}
