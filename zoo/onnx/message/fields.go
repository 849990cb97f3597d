package message

// The numbers of onnx.proto's fields.
const (
	modelIR, modelProducer, modelVersion, modelGraph, modelOpset = 1, 2, 3, 7, 8
	modelProperty, modelTraining, modelFunction                  = 14, 20, 25
	opsetDomain, opsetVersion                                    = 1, 2
	pairKey, pairValue                                           = 1, 2
	graphNode, graphName, graphTensor, graphInput, graphOutput   = 1, 2, 5, 11, 12
	graphValue, graphSparse                                      = 13, 15
	functionName, functionIn, functionOut, functionAttribute     = 1, 4, 5, 6
	functionNode, functionOpset, functionDomain, functionDefault = 7, 9, 10, 11
	nodeIn, nodeOut, nodeName, nodeOp, nodeAttribute, nodeDomain = 1, 2, 3, 4, 5, 7
	attributeName, attributeFloat, attributeInt, attributeText   = 1, 2, 3, 4
	attributeTensor, attributeGraph                              = 5, 6
	attributeFloats, attributeInts, attributeTexts               = 7, 8, 9
	attributeKind, attributeRef                                  = 20, 21
	tensorDims, tensorType, tensorFloats, tensorInts32           = 1, 2, 4, 5
	tensorInts64, tensorName, tensorRaw, tensorDoubles           = 7, 8, 9, 10
	tensorUints, tensorExternal, tensorLocation                  = 11, 13, 14
	tensorSegment, tensorTexts                                   = 3, 6
	valueName, valueType, typeTensor, typeElem, typeShape        = 1, 2, 1, 1, 2
	shapeDim, dimSize, dimName                                   = 1, 1, 2
	outside                                                      = 1 // tensorLocation: in another file
	keyLocation, keyOffset, keyLength                            = "location", "offset", "length"
)
