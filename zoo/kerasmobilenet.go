package zoo

import "slices"

// The MobileNets of arXiv:1704.04861, arXiv:1801.04381 and arXiv:1905.02244 as Keras Applications has them. The option
// alpha, a factor on channels, is the number behind a name: 25 is 0.25. Keras publishes weights for these; its functions
// take any other one.
//
// Where Keras differs from mobilenetv1_100 of mobilenetv1.go:
//   - channels times alpha are rounded down, to any number;
//   - a depthwise convolution with a stride has a row of zeros below and one on the right, whatever the size;
//   - the first convolution has TensorFlow's "same" padding, and batch norms have epsilon 1e-3.
//
// Where Keras differs from mobilenetv2_100 of mobilenetv2.go:
//   - padding is TensorFlow's "same", batch norms have epsilon 1e-3;
//   - channels times alpha are rounded down before they are rounded to a multiple of 8.
//
// Where Keras differs from tf_mobilenetv3_large_100 of mobilenetv3.go:
//   - images are from 0 to 255; the network itself brings them to −1 … 1;
//   - the first convolution has 16 channels for any alpha, the last but one six times those before it, and above an
//     alpha of 1 the head grows too;
//   - the option minimalistic has 3×3 convolutions, ReLU, and no squeeze and excitation.
//
// Rows of another alpha than 1, 0.25 (MobileNet) and 1.4 (MobileNetV2), and the minimalistic small MobileNetV3, have no
// golden at their size: their counts are this graph's.
var kerasMobileNetV1s = family{name: "keras_mobilenetv1", year: 2017, paper: "arXiv:1704.04861", least: 32, rows: []row{
	{"keras_mobilenet_025", kerasMobileNet(0.25).build, 224, 470_072, 41_030_272, bilinearHalf},
	{"keras_mobilenet_050", kerasMobileNet(0.5).build, 224, 1_331_592, 149_497_088, bilinearHalf},
	{"keras_mobilenet_075", kerasMobileNet(0.75).build, 224, 2_585_560, 325_400_448, bilinearHalf},
	{"keras_mobilenet", kerasMobileNet(1).build, 224, 4_231_976, 568_740_352, bilinearHalf},
}, renames: []renames{{table: kerasMobileNetNames()}}}

var kerasMobileNetV2s = family{name: "keras_mobilenetv2", year: 2018, paper: "arXiv:1801.04381", least: 32, rows: []row{
	{"keras_mobilenetv2_035", kerasMobileNetV2(0.35).build, 224, 1_677_128, 59_285_808, bilinearHalf},
	{"keras_mobilenetv2_050", kerasMobileNetV2(0.5).build, 224, 1_968_680, 97_131_840, bilinearHalf},
	{"keras_mobilenetv2_075", kerasMobileNetV2(0.75).build, 224, 2_636_424, 209_069_792, bilinearHalf},
	{"keras_mobilenetv2", kerasMobileNetV2(1).build, 224, 3_504_872, 300_774_272, bilinearHalf},
	{"keras_mobilenetv2_130", kerasMobileNetV2(1.3).build, 224, 5_386_792, 509_374_560, bilinearHalf},
	{"keras_mobilenetv2_140", kerasMobileNetV2(1.4).build, 224, 6_108_776, 582_195_824, bilinearHalf},
}, renames: []renames{
	{table: kerasMobileNetV2Names("predictions")}, {table: kerasFirst(kerasMobileNetV2Names("Logits"))},
}}

var kerasMobileNetV3s = family{name: "keras_mobilenetv3", year: 2019, paper: "arXiv:1905.02244", least: 32, rows: []row{
	{"keras_mobilenetv3large", kerasMobileNetV3(1, false, false).build, 224, 5_483_032, 216_589_760, kerasBytes},
	{"keras_mobilenetv3large_075", kerasMobileNetV3(0.75, false, false).build, 224, 3_993_528, 154_560_624, kerasBytes},
	{"keras_mobilenetv3large_minimalistic", kerasMobileNetV3(1, false, true).build, 224, 3_924_288, 209_136_704, kerasBytes},
	{"keras_mobilenetv3small", kerasMobileNetV3(1, true, false).build, 224, 2_542_856, 56_510_400, kerasBytes},
	{"keras_mobilenetv3small_075", kerasMobileNetV3(0.75, true, false).build, 224, 2_041_872, 43_399_344, kerasBytes},
	{"keras_mobilenetv3small_minimalistic", kerasMobileNetV3(1, true, true).build, 224, 2_044_736, 52_288_448, kerasBytes},
}, renames: slices.Concat(
	kerasMobileNetV3Names(mobileNetV3Large, "keras_mobilenetv3large", "keras_mobilenetv3large_075"),
	kerasMobileNetV3Names(minimalistic(mobileNetV3Large), "keras_mobilenetv3large_minimalistic"),
	kerasMobileNetV3Names(mobileNetV3Small, "keras_mobilenetv3small", "keras_mobilenetv3small_075"),
	kerasMobileNetV3Names(minimalistic(mobileNetV3Small), "keras_mobilenetv3small_minimalistic"),
)}

func kerasMobileNet(alpha float64) mobileNetV1   { return mobileNetV1{width: alpha, keras: true} }
func kerasMobileNetV2(alpha float64) mobileNetV2 { return mobileNetV2{width: alpha, keras: true} }

func kerasMobileNetV3(alpha float64, small, minimalistic bool) mobileNetV3 {
	return mobileNetV3{eps: 1e-3, same: true, width: alpha, small: small, minimalistic: minimalistic, keras: true}
}

// minimalistic are rows without what processors of signals do slowly.
func minimalistic(rows []bneck) []bneck {
	var plain []bneck
	for _, r := range rows {
		plain = append(plain, bneck{3, r.exp, r.out, false, re, r.s})
	}
	return plain
}
