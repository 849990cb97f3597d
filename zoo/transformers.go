package zoo

import (
	"fmt"

	"zoobench/zoo/weights"
)

// The names that Hugging Face's library transformers gives to parameters of networks for image classification, as its
// modelling code of version 4 has them. Query, key and value are layers of their own there.
//
// As released there:
//   - the layer norms of ViT and DeiT, and the last one of ConvNeXt, have an epsilon of 1e-12;
//   - MobileNetV2 is TensorFlow's: batch norms have an epsilon of 1e-3, and a convolution of stride 2 pads on the right and
//     below alone; the published files have 1001 classes, the first of which is the background.
//
// The recipes are those of the files that the library's makers published (google/vit, facebook/deit, microsoft/swin,
// facebook/convnext, microsoft/resnet, google/mobilenet_v2): most of them do not keep an image's proportions.
const transformers = "transformers"

// What transformers computes or prepares otherwise.
var (
	vitVariant = Variant{Library: transformers, Graph: "has layer norms with an epsilon of 1e-12",
		Recipe: &Recipe{CropPct: 1, CropMode: "squash", Mean: half, Std: half}}
	deitVariant = Variant{Library: transformers, Graph: vitVariant.Graph, Recipe: &Recipe{CropMode: "squash", Interpolation: "bicubic"}}
	swinVariant = Variant{Library: transformers, Recipe: &Recipe{CropPct: 1, CropMode: "squash", Interpolation: "bicubic"}}

	convNeXtVariant = Variant{Library: transformers, Graph: "has a last layer norm with an epsilon of 1e-12", Recipe: &bicubic}
	resNetVariant   = Variant{Library: transformers, Recipe: &bicubic}

	mobileNetV2Variant = Variant{Library: transformers, Graph: "has TensorFlow's padding, and batch norms with an epsilon of 1e-3",
		Recipe: &Recipe{Mean: half, Std: half}}
)

// joined is the rows of query, key and value, each a layer of its own, that become one layer.
func joined(old, to string) []weights.Rename {
	var rows []weights.Rename
	for i, name := range [...]string{"query", "key", "value"} {
		rows = append(rows, weights.Rename{Old: old + name + ".*", New: to + ".*", Part: i, Of: 3})
	}
	return rows
}

// encoderBlock is the rows of a transformer's block.
func encoderBlock(old, self, to string) []weights.Rename {
	return append(joined(old+"attention."+self+".", to+"attn.qkv"),
		weights.Rename{Old: old + "attention.output.dense.*", New: to + "attn.proj.*"},
		weights.Rename{Old: old + "layernorm_before.*", New: to + "norm1.*"},
		weights.Rename{Old: old + "layernorm_after.*", New: to + "norm2.*"},
		weights.Rename{Old: old + "intermediate.dense.*", New: to + "mlp.fc1.*"},
		weights.Rename{Old: old + "output.dense.*", New: to + "mlp.fc2.*"},
	)
}

// vitTransformers is the table of ViT and, with distillation, of DeiT.
func vitTransformers(distilled bool) weights.Table {
	prefix, head := "vit.", "classifier.*"
	if distilled {
		prefix, head = "deit.", "cls_classifier.*"
	}
	rows := append(encoderBlock(prefix+"encoder.layer.*.", "attention", "blocks.*."),
		weights.Rename{Old: prefix + "embeddings.cls_token", New: "cls_token"},
		weights.Rename{Old: prefix + "embeddings.position_embeddings", New: "pos_embed"},
		weights.Rename{Old: prefix + "embeddings.patch_embeddings.projection.*", New: "patch_embed.proj.*"},
		weights.Rename{Old: prefix + "layernorm.*", New: "norm.*"},
		weights.Rename{Old: head, New: "head.*"},
	)
	if distilled {
		rows = append(rows,
			weights.Rename{Old: prefix + "embeddings.distillation_token", New: "dist_token"},
			weights.Rename{Old: "distillation_classifier.*", New: "head_dist.*"},
		)
	}
	return weights.Table{Name: transformers, Rows: rows}
}

// swinTransformers is the table of Swin: the merging of pixels belongs to the stage before it there.
func swinTransformers() weights.Table {
	const block, to = "swin.encoder.layers.*.blocks.*.", "layers.*.blocks.*."
	rows := append(encoderBlock(block, "self", to),
		weights.Rename{Old: block + "attention.self.relative_position_bias_table", New: to + "attn.relative_position_bias_table"},
		weights.Rename{Old: block + "attention.self.relative_position_index", New: to + "attn.relative_position_index"},
		weights.Rename{Old: "swin.embeddings.patch_embeddings.projection.*", New: "patch_embed.proj.*"},
		weights.Rename{Old: "swin.embeddings.norm.*", New: "patch_embed.norm.*"},
		weights.Rename{Old: "swin.layernorm.*", New: "norm.*"},
		weights.Rename{Old: "classifier.*", New: "head.fc.*"},
	)
	for i := range 3 {
		rows = append(rows, weights.Rename{
			Old: fmt.Sprintf("swin.encoder.layers.%d.downsample.*.*", i), New: fmt.Sprintf("layers.%d.downsample.*.*", i+1),
		})
	}
	return weights.Table{Name: transformers, Rows: rows}
}

func convNeXtTransformers() weights.Table {
	const stage, to = "convnext.encoder.stages.*.", "stages.*."
	const block, toBlock = stage + "layers.*.", to + "blocks.*."
	return weights.Table{Name: transformers, Rows: []weights.Rename{
		{Old: "convnext.embeddings.patch_embeddings.*", New: "stem.0.*"},
		{Old: "convnext.embeddings.layernorm.*", New: "stem.1.*"},
		{Old: stage + "downsampling_layer.*.*", New: to + "downsample.*.*"},
		{Old: block + "layer_scale_parameter", New: toBlock + "gamma"},
		{Old: block + "dwconv.*", New: toBlock + "conv_dw.*"},
		{Old: block + "layernorm.*", New: toBlock + "norm.*"},
		{Old: block + "pwconv1.*", New: toBlock + "mlp.fc1.*"},
		{Old: block + "pwconv2.*", New: toBlock + "mlp.fc2.*"},
		{Old: "convnext.layernorm.*", New: "head.norm.*"},
		{Old: "classifier.*", New: "head.fc.*"},
	}}
}

// resNetTransformers is the table of a ResNet whose blocks have so many convolutions.
func resNetTransformers(convolutions int) weights.Table {
	rows := []weights.Rename{
		{Old: "resnet.embedder.embedder.convolution.*", New: "conv1.*"},
		{Old: "resnet.embedder.embedder.normalization.*", New: "bn1.*"},
		{Old: "classifier.1.*", New: "fc.*"},
	}
	for i := range 4 {
		block, to := fmt.Sprintf("resnet.encoder.stages.%d.layers.*.", i), fmt.Sprintf("layer%d.*.", i+1)
		rows = append(rows,
			weights.Rename{Old: block + "shortcut.convolution.*", New: to + "downsample.0.*"},
			weights.Rename{Old: block + "shortcut.normalization.*", New: to + "downsample.1.*"},
		)
		for j := range convolutions {
			layer := fmt.Sprintf("%slayer.%d.", block, j)
			rows = append(rows,
				weights.Rename{Old: layer + "convolution.*", New: fmt.Sprintf("%sconv%d.*", to, j+1)},
				weights.Rename{Old: layer + "normalization.*", New: fmt.Sprintf("%sbn%d.*", to, j+1)},
			)
		}
	}
	return weights.Table{Name: transformers, Rows: rows}
}

// mobileNetV2Transformers is the table of MobileNetV2: the first block, which does not expand, is part of the stem there,
// and the others stand in a row.
func mobileNetV2Transformers() weights.Table {
	var rows []weights.Rename
	add := func(old, conv, norm string) {
		rows = append(rows, weights.Rename{Old: "mobilenet_v2." + old + ".convolution.*", New: conv + ".*"},
			weights.Rename{Old: "mobilenet_v2." + old + ".normalization.*", New: norm + ".*"})
	}
	add("conv_stem.first_conv", "conv_stem", "bn1")
	add("conv_stem.conv_3x3", "blocks.0.0.conv_dw", "blocks.0.0.bn1")
	add("conv_stem.reduce_1x1", "blocks.0.0.conv_pw", "blocks.0.0.bn2")
	layer := 0
	for i, s := range mobileNetV2Stages[1:] {
		for j := range s.n {
			old, to := fmt.Sprintf("layer.%d.", layer), fmt.Sprintf("blocks.%d.%d.", i+1, j)
			add(old+"expand_1x1", to+"conv_pw", to+"bn1")
			add(old+"conv_3x3", to+"conv_dw", to+"bn2")
			add(old+"reduce_1x1", to+"conv_pwl", to+"bn3")
			layer++
		}
	}
	add("conv_1x1", "conv_head", "bn2")
	return weights.Table{Name: transformers, Rows: append(rows, weights.Rename{Old: "classifier.*", New: "classifier.*"})}
}
