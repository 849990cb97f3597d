package zoo

import "testing"

// TestOnePixel holds networks of mobile blocks to the same layers at an input of one pixel, where a block with a stride
// cannot be told from one without by its shapes.
func TestOnePixel(t *testing.T) {
	for _, name := range []string{
		"mobilenetv2_035", "mobilenetv3_small_100", "mnasnet_small", "semnasnet_100", "efficientnet_b0", "tf_efficientnetv2_s",
		"ghostnet_050",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Find(name)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := s.Graph(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			pixel, err := s.Graph(1, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(pixel.Nodes), len(whole.Nodes); got != want {
				t.Errorf("%d layers, want %d", got, want)
			}
		})
	}
}
