//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// Groups of four channels: four pixels of a row, or one, by two groups at a time. A lane of a group's inputs multiplies
// that input's weights to the group's four outputs.
//
//	                         group 0      group 1
//	weights of input j       V(2j)        V(2j+1)
//	inputs of pixel i        V(8+2i)      V(9+2i)
//	outputs of pixel i       V(16+2i)     V(17+2i)
//
// V24 and V25 hold the clamp.
//
//	R0  t                                 R9, R15  inputs of a pixel, weights
//	R1  groups of pixels left             R10 bytes from the taps' addresses to this group's
//	R2  W, at the channels under way      R11 bytes from pixel to pixel of the input
//	R3  channels done, in bytes           R12 WStep
//	R4  channels left                     R13 bias, then output, at the channels under way
//	R5  next tap                          R14 LDO
//	R6  taps left                         R19 output of the group

// EACH{px} repeats op for px pixels: op(input lane, inputs, outputs, first numbers of both).
#define EACH1(op, j) op(j, F8, F9, F16, F17, 8, 16)
#define EACH4(op, j) EACH1(op, j); op(j, F10, F11, F18, F19, 10, 18); op(j, F12, F13, F20, F21, 12, 20); op(j, F14, F15, F22, F23, 14, 22)

#define START(j, x0, x1, y0, y1, x, y) MOV4(0, y); MOV4(1, y+1)
#define LOAD(j, x0, x1, y0, y1, x, y) FLDPQ (R9), (x0, x1); ADD R11, R9
#define MUL(j, x0, x1, y0, y1, x, y) FMLA4LANE(j, x, 2*j, y); FMLA4LANE(j, x+1, 2*j+1, y+1)
#define STORE(j, x0, x1, y0, y1, x, y) FMAX4(24, y, y); FMAX4(24, y+1, y+1); FMIN4(25, y, y); FMIN4(25, y+1, y+1); \
	FSTPQ (y0, y1), (R13); ADD R14, R13

// GROUPS is the whole of a microkernel of px pixels.
#define GROUPS(each, px) \
	MOVD Depthwise_GroupsLeft(R0), R1; \
	MOVD ZR, R10; \
	MOVD Depthwise_Step(R0), R11; \
	MOVD Depthwise_WStep(R0), R12; \
	MOVD Depthwise_LDO(R0), R14; \
	MOVD Depthwise_Out(R0), R19; \
	FMOVS Depthwise_Lo(R0), F24; \
	FMOVS Depthwise_Hi(R0), F25; \
	VDUP V24.S[0], V24.S4; \
	VDUP V25.S[0], V25.S4; \
group: \
	MOVD Depthwise_W(R0), R2; \
	MOVD ZR, R3; \
	MOVD Depthwise_C(R0), R4; \
channels: \
	MOVD Depthwise_Bias(R0), R13; \
	ADD R3, R13; \
	FLDPQ (R13), (F0, F1); \
	each(START, 0); \
	MOVD Depthwise_Taps(R0), R5; \
	MOVD Depthwise_N(R0), R6; \
	PCALIGN $64; \
taps: \
	MOVD (R5), R9; \
	MOVD 8(R5), R15; \
	ADD $16, R5; \
	ADD R3, R9; \
	ADD R10, R9; \
	ADD R15<<2, R2, R15; \
	FLDPQ (R15), (F0, F1); \
	FLDPQ 32(R15), (F2, F3); \
	FLDPQ 64(R15), (F4, F5); \
	FLDPQ 96(R15), (F6, F7); \
	each(LOAD, 0); \
	each(MUL, 0); \
	each(MUL, 1); \
	each(MUL, 2); \
	each(MUL, 3); \
	SUBS $1, R6; \
	BNE taps; \
	ADD R3, R19, R13; \
	each(STORE, 0); \
	ADD $32, R3; \
	ADD R12, R2; \
	SUBS $8, R4; \
	BNE channels; \
	MOVD $px, R6; \
	MADD R6, R10, R11, R10; \
	MADD R6, R19, R14, R19; \
	SUBS $1, R1; \
	BNE group; \
	MOVD ZR, Depthwise_GroupsLeft(R0)

// func gconv4g4c8NEON(t *Depthwise)
TEXT ·gconv4g4c8NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH4, 4)
	RET

// func gconv1g4c8NEON(t *Depthwise)
TEXT ·gconv1g4c8NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH1, 1)
	RET
