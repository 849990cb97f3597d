package f32

import (
	"reflect"
	"testing"
)

// TestLayouts holds the arguments' fields where the assembly's generator counts them: one after the other, eight bytes
// each, but for the two float32 of a clamp that share eight.
func TestLayouts(t *testing.T) {
	for _, arg := range []any{Tile{}, Depthwise{}, Band{}, Grouped{}, RowGrad{}, Rows{}, Winograd{}, Filters{}} {
		typ := reflect.TypeOf(arg)
		want := uintptr(0)
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Offset != want {
				t.Errorf("%s.%s at %d, want %d", typ.Name(), f.Name, f.Offset, want)
			}
			if f.Type.Kind() == reflect.Float32 {
				want += 4
			} else {
				want += max(8, f.Type.Size())
			}
		}
	}
}
