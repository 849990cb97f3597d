//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// Four pixels of a row, or one, by a block of channels at a time. A weight is loaded once for all pixels, whose inputs stand a constant
// step apart.
//
//	                  channels: 0–3  4–7  8–11 12–15
//	weights, of 16 bits         V0        V1           in the end the scales: V0 to V3
//	a pixel's inputs, of 16     V3        V2
//	pixel 0                     V16  V17  V18  V19     of a largest element V16 alone, as bytes
//	pixel 1                     V20  V21  V22  V23
//	pixel 2                     V24  V25  V26  V27
//	pixel 3                     V28  V29  V30  V31
//
//	R0  t                       R5, R6  next tap, taps left           R10 bytes from the taps' addresses to this group's
//	R1  pixels left             R7  channels left                     R11 channels done
//	R3  LDO                     R8  bytes from pixel to pixel         R13 output at the block under way
//	R4  output of the group     R9  inputs of a pixel                 R24 scratch

// EACH{px} repeats op for px pixels: op(x, register, first number).
#define EACH1(op, x) op(x, F16, V16, 16)
#define EACH4(op, x) EACH1(op, x); op(x, F20, V20, 20); op(x, F24, V24, 24); op(x, F28, V28, 28)

// START sets sums to what V0 to V3 hold. FLOATS makes them float32, times the scales that V0 to V3 hold then.
#define START(x, F, V, n) MOV4(0, n); MOV4(1, n+1); MOV4(2, n+2); MOV4(3, n+3)
#define FLOATS(x, F, V, n) \
	SCVTF4(n, n); SCVTF4(n+1, n+1); SCVTF4(n+2, n+2); SCVTF4(n+3, n+3); \
	FMUL4(0, n, n); FMUL4(1, n+1, n+1); FMUL4(2, n+2, n+2); FMUL4(3, n+3, n+3); BYTES4(n)

// OF adds a pixel's inputs times the weights, or its inputs, or keeps the larger; x is how they are loaded. It goes to the next pixel.
#define INPUTS(LOAD) LOAD(R9, F2, V2); ADD R8, R9; UXTL8(2, 3); UXTL8UPPER(2, 2)
#define OF_PRODUCTS(LOAD, F, V, n) \
	INPUTS(LOAD); SMLAL4(0, 3, n); SMLAL4UPPER(0, 3, n+1); SMLAL4(1, 2, n+2); SMLAL4UPPER(1, 2, n+3)
#define OF_SUMS(LOAD, F, V, n) INPUTS(LOAD); UADDW4(3, n, n); UADDW4UPPER(3, n+1, n+1); UADDW4(2, n+2, n+2); UADDW4UPPER(2, n+3, n+3)
#define OF_LARGEST(LOAD, F, V, n) LOAD(R9, F2, V2); ADD R8, R9; VUMAX V2.B16, V.B16, V.B16

// TO stores a pixel's bytes; x is how. It goes to the next pixel.
#define TO(STORE, F, V, n) STORE(F, V, R13); ADD R3, R13

// What differs from one kernel to another: what sums begin with, what a tap has beside its input, what becomes of the sums.
#define BIAS(each, NUMBERS) MOVD Window_Bias(R0), R24; ADD R11<<2, R24; NUMBERS(R24, F0, F1, F2, F3); each(START, 0)
#define WEIGHTS(LOAD) MOVD Window_W(R0), R24; ADD R11, R24; MOVD -8(R5), R13; ADD R13, R24; LOAD(R24, F0, V0); SXTL8UPPER(0, 1); SXTL8(0, 0)
#define SCALES(each, NUMBERS) MOVD Window_Scale(R0), R24; ADD R11<<2, R24; NUMBERS(R24, F0, F1, F2, F3); each(FLOATS, 0)

#define FIRST(each, NUMBERS) MOVW Window_Start(R0), R24; VDUP R24, V0.S4; SAME; each(START, 0)
#define SCALE(each, NUMBERS) MOVD Window_Scale(R0), R24; VLD1R (R24), [V0.S4]; SAME; each(FLOATS, 0)
#define SAME MOV4(0, 1); MOV4(0, 2); MOV4(0, 3)

#define NOTHING(each, NUMBERS) ZERO4(0); each(START, 0)
#define NONE(LOAD)
#define AS_IS(each, NUMBERS)

// BLOCK is all taps of a group's pixels for a block of channels.
#define BLOCK(bytes, LOAD, STORE, NUMBERS, taps, each, BEGIN, TAP, OF, END) \
	BEGIN(each, NUMBERS); \
	MOVD Window_Taps(R0), R5; \
	MOVD Window_N(R0), R6; \
	PCALIGN $64; \
taps: \
	MOVD.P Tap__size(R5), R9; \
	ADD R11, R9; \
	ADD R10, R9; \
	TAP(LOAD); \
	each(OF, LOAD); \
	SUBS $1, R6; \
	BNE taps; \
	END(each, NUMBERS); \
	ADD R11, R4, R13; \
	each(TO, STORE); \
	ADD $bytes, R11

#define DEPTHWISE4(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, taps) \
	BLOCK(bytes, LOAD, STORE, NUMBERS, taps, EACH4, BIAS, WEIGHTS, OF_PRODUCTS, SCALES)
#define DEPTHWISE1(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, taps) \
	BLOCK(bytes, LOAD, STORE, NUMBERS, taps, EACH1, BIAS, WEIGHTS, OF_PRODUCTS, SCALES)
#define SUM4(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, taps) \
	BLOCK(bytes, LOAD, STORE, NUMBERS, taps, EACH4, FIRST, NONE, OF_SUMS, SCALE)
#define SUM1(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, taps) \
	BLOCK(bytes, LOAD, STORE, NUMBERS, taps, EACH1, FIRST, NONE, OF_SUMS, SCALE)
#define MAX4(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, taps) \
	BLOCK(bytes, LOAD, STORE, NUMBERS, taps, EACH4, NOTHING, NONE, OF_LARGEST, AS_IS)
#define MAX1(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, taps) \
	BLOCK(bytes, LOAD, STORE, NUMBERS, taps, EACH1, NOTHING, NONE, OF_LARGEST, AS_IS)

// PIXELS is the whole of a kernel: groups of four pixels, then the last ones.
#define PIXELS(BLOCK4, BLOCK1) \
	MOVD t+0(FP), R0; \
	MOVD Window_PixelsLeft(R0), R1; \
	MOVD Window_LDO(R0), R3; \
	MOVD Window_Out(R0), R4; \
	MOVD Window_Step(R0), R8; \
	MOVD ZR, R10; \
	BYTES4_LIMITS(Window_Finish, R24); \
	SUBS $4, R1; \
	BLT last; \
group: \
	MOVD ZR, R11; \
	MOVD Window_C(R0), R7; \
	BLOCKS(sixteen, eight, four, some, one, done, taps16, taps8, taps4, taps1, BLOCK4) \
	ADD R8<<2, R10; \
	ADD R3<<2, R4; \
	SUBS $4, R1; \
	BGE group; \
last: \
	ADDS $4, R1; \
	BEQ end; \
pixel: \
	MOVD ZR, R11; \
	MOVD Window_C(R0), R7; \
	BLOCKS(sixteen1, eight1, four1, some1, one1, done1, taps16_1, taps8_1, taps4_1, taps1_1, BLOCK1) \
	ADD R8, R10; \
	ADD R3, R4; \
	SUBS $1, R1; \
	BNE pixel; \
end: \
	MOVD ZR, Window_PixelsLeft(R0)

// func dwconvNEON(t *Window)
TEXT ·dwconvNEON(SB), NOSPLIT, $0-8
	PIXELS(DEPTHWISE4, DEPTHWISE1)
	RET

// func sumNEON(t *Window)
TEXT ·sumNEON(SB), NOSPLIT, $0-8
	PIXELS(SUM4, SUM1)
	RET

// func maxNEON(t *Window)
TEXT ·maxNEON(SB), NOSPLIT, $0-8
	PIXELS(MAX4, MAX1)
	RET
