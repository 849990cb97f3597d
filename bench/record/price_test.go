package record

import (
	"math"
	"testing"
)

func TestCostPerMillion(t *testing.T) {
	for _, test := range []struct{ price, rate, want float64 }{
		{3.6, 1000, 1}, // a thousand seconds at a thousandth a second
		{0.04, 50, 0.04 / 3600 * 20000},
		{0, 50, 0}, {0.04, 0, 0}, {-1, 50, 0}, {0.04, -1, 0}, {math.NaN(), 50, 0},
	} {
		r := Record{ImagesPerSec: test.rate, Asked: &Settings{PricePerHour: test.price}}
		if got := r.CostPerMillion(); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%v an hour, %v images/s: %v, want %v", test.price, test.rate, got, test.want)
		}
	}
	if got := (&Record{ImagesPerSec: 1}).CostPerMillion(); got != 0 {
		t.Errorf("without settings: %v, want 0", got)
	}
	for cost, want := range map[float64]string{0: "", 0.04: "0.04", 0.0123456: "0.0123", 12.345: "12.3", 999: "999", 123456.7: "123457"} {
		if got := CostText(cost); got != want {
			t.Errorf("%v: %q, want %q", cost, got, want)
		}
	}
	rs := []Record{{ImagesPerSec: 1000}, {ImagesPerSec: 1000, Asked: &Settings{PricePerHour: 7, Axes: Axes{Batch: 2}}}}
	priced := Priced(rs, 3.6)
	if priced[0].CostPerMillion() != 1 || priced[1].CostPerMillion() != 1 || priced[1].Asked.Batch != 2 {
		t.Errorf("priced: %+v", priced)
	}
	if rs[0].Asked != nil || rs[1].Asked.PricePerHour != 7 {
		t.Errorf("the records have changed: %+v", rs)
	}
}
