package experiment

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"zoobench/internal/words"
)

// ParseSize reads a size such as 512MiB, 1.5GiB or 64kB as bytes: k, M and G are powers of
// 1000, Ki, Mi and Gi of 1024, and a number without unit is refused.
func ParseSize(text string) (int64, error) {
	units := []struct {
		suffix string
		bytes  float64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		number = strings.TrimSuffix(number, " ")
		// ParseFloat also knows hexadecimal, exponents, signs, NaN and Inf: none is a size.
		if number == "" || strings.Trim(number, "0123456789.") != "" {
			break
		}
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			break
		}
		if v *= u.bytes; v >= math.MaxInt64 {
			return 0, fmt.Errorf("size %s does not fit 64 bits", quote(text))
		}
		return int64(math.Round(v)), nil
	}
	return 0, fmt.Errorf("size %s, want a number with its unit, as 512MiB", quote(text))
}

// ParsePrice reads the price of an hour, such as 0.04/h, over 0 and up to a million. It has no currency: whoever gives it
// knows it.
func ParsePrice(text string) (float64, error) {
	number, found := strings.CutSuffix(text, "/h")
	// ParseFloat also knows hexadecimal, exponents, signs, NaN and Inf: none is a price.
	if v, err := strconv.ParseFloat(number, 64); found && err == nil && strings.Trim(number, "0123456789.") == "" && v > 0 && v <= maxPrice {
		return v, nil
	}
	return 0, fmt.Errorf("price %s, want a price an hour above 0, as 0.04/h", quote(text))
}

// parseDuration reads a duration such as 3s or 250ms, from 1 ns to a day.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("duration %s, want a number with its unit, as 3s", quote(text))
	}
	if d <= 0 || d > 24*time.Hour {
		return 0, fmt.Errorf("duration %s, want more than 0 and at most 24h", quote(text))
	}
	return d, nil
}

// suggest ends an error text about an unknown word: the nearest valid one if it is near
// enough to be what was meant, else all of them.
func suggest(word string, valid []string) string {
	if len(valid) == 0 {
		return "none is known here"
	}
	if nearest, near := words.Nearest(word, valid); near {
		return fmt.Sprintf("nearest is %q", nearest)
	}
	return "want one of " + strings.Join(valid, ", ")
}

// quote shows a word from the file on one printable line, cut where it is long.
func quote(word string) string {
	const limit = 60
	if r := []rune(word[:min(len(word), 4*limit)]); len(r) > limit {
		return strconv.Quote(string(r[:limit])) + "…"
	}
	return strconv.Quote(word)
}
