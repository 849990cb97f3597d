// The matrix microkernels but for a step of k, which the file that includes this defines as STEP16 and STEP8: of float32 here, of
// pairs of bf16 numbers in package bf16. The offsets of Tile's fields are the including package's.

// The matrix tile: up to six rows by sixteen columns of output held in registers.
//
//	        b: one k ->  V0   V1   V2   V3
//	a row 0: V4 lane 0   V8   V9   V10  V11
//	a row 1: V5 lane 0   V12  V13  V14  V15
//	a row 2: V6 lane 0   V16  V17  V18  V19
//	a row 3: V7 lane 0   V20  V21  V22  V23
//	a row 4: V4 lane 0   V24  V25  V26  V27
//	a row 5: V5 lane 0   V28  V29  V30  V31
//
// A tile of eight columns leaves the two right columns of registers alone. Each k of a 6×16 tile costs 24 multiply-adds
// against 8 loads, so the multipliers are the limit: by llvm-mca 14's models four k's 96 multiply-adds take 96 cycles on a
// Cortex-A72 with its one multiplier, 48 on an Ampere-1 with two, 32 on Apple's A7 with three.
//
//	R0  t                              R12  the tap's addresses in A; a row's sums in the frame
//	R1  tiles left                     R13  elements of the tap left; columns left
//	R2  this tile's addresses in A     R14  flags
//	R3  C                              R15  columns that exist, 0 when all do
//	R4–R9  rows of A                   R19  R, or 0
//	R10 B                              R20, R21  bytes from row to row of C and of R
//	R11 taps left; rows left           R22  prefetch    R23  bias, or 0    R24  scratch

// EACH{mr} repeats op for mr rows: op(x, row, its address, broadcast register and number, accumulators, first number).
#define EACH1(op, x) op(x, 0, R4, F4, 4, F8, F9, F10, F11, 8)
#define EACH2(op, x) EACH1(op, x); op(x, 1, R5, F5, 5, F12, F13, F14, F15, 12)
#define EACH3(op, x) EACH2(op, x); op(x, 2, R6, F6, 6, F16, F17, F18, F19, 16)
#define EACH4(op, x) EACH3(op, x); op(x, 3, R7, F7, 7, F20, F21, F22, F23, 20)
#define EACH5(op, x) EACH4(op, x); op(x, 4, R8, F4, 4, F24, F25, F26, F27, 24)
#define EACH6(op, x) EACH5(op, x); op(x, 5, R9, F5, 5, F28, F29, F30, F31, 28)

// ADDRESS finds a row's first element, x bytes behind its address; NEXT goes x bytes on.
#define ADDRESS(x, row, a, f, s, c0, c1, c2, c3, n) MOVD 8*row(R12), a; ADD x, a
#define NEXT(x, row, a, f, s, c0, c1, c2, c3, n) ADD x, a

// START sets a row's accumulators to what V0 and on hold.
#define START16(x, row, a, f, s, c0, c1, c2, c3, n) MOV4(0, n); MOV4(1, n+1); MOV4(2, n+2); MOV4(3, n+3)
#define START8(x, row, a, f, s, c0, c1, c2, c3, n) MOV4(0, n); MOV4(1, n+1)

// LOAD brings sixteen columns, or eight, at base to V0 and on.
#define LOAD16(base) FLDPQ (base), (F0, F1); FLDPQ 32(base), (F2, F3)
#define LOAD8(base) FLDPQ (base), (F0, F1)

// ADD adds the columns at R24 to a row; x is the distance to the next.
#define ADD16(x, row, a, f, s, c0, c1, c2, c3, n) \
	LOAD16(R24); FADD4(0, n, n); FADD4(1, n+1, n+1); FADD4(2, n+2, n+2); FADD4(3, n+3, n+3); ADD x, R24
#define ADD8(x, row, a, f, s, c0, c1, c2, c3, n) \
	LOAD8(R24); FADD4(0, n, n); FADD4(1, n+1, n+1); ADD x, R24

// CLAMP clamps a row to V6 and V7.
#define CLAMP16(x, row, a, f, s, c0, c1, c2, c3, n) \
	FMAX4(6, n, n); FMAX4(6, n+1, n+1); FMAX4(6, n+2, n+2); FMAX4(6, n+3, n+3); \
	FMIN4(7, n, n); FMIN4(7, n+1, n+1); FMIN4(7, n+2, n+2); FMIN4(7, n+3, n+3)
#define CLAMP8(x, row, a, f, s, c0, c1, c2, c3, n) \
	FMAX4(6, n, n); FMAX4(6, n+1, n+1); FMIN4(7, n, n); FMIN4(7, n+1, n+1)

// STORE writes a row to C and goes on to the next.
#define STORE16(x, row, a, f, s, c0, c1, c2, c3, n) FSTPQ (c0, c1), (R3); FSTPQ (c2, c3), 32(R3); ADD x, R3
#define STORE8(x, row, a, f, s, c0, c1, c2, c3, n) FSTPQ (c0, c1), (R3); ADD x, R3

// SPILL writes a row's sums to the frame.
#define SPILL16(x, row, a, f, s, c0, c1, c2, c3, n) FSTPQ (c0, c1), 64*row(R12); FSTPQ (c2, c3), 64*row+32(R12)
#define SPILL8(x, row, a, f, s, c0, c1, c2, c3, n) FSTPQ (c0, c1), 64*row(R12)

// PART finishes four columns, two or one of a row: sums at R6, C at R7, R at R8.
#define PART(move, bytes, residual, clamp, store) \
	move (R6), F0; ADD $bytes, R6; \
	TBZ $0, R14, residual; \
	move (R7), F1; FADD4(1, 0, 0); \
residual: \
	CBZ R19, clamp; \
	move (R8), F1; ADD $bytes, R8; FADD4(1, 0, 0); \
clamp: \
	TBZ $1, R14, store; \
	FMAX4(6, 0, 0); FMIN4(7, 0, 0); \
store: \
	move F0, (R7); ADD $bytes, R7

// TILES is the whole of a microkernel of mr rows and nr columns.
#define TILES(each, mr, nr, START, STEP, LOAD, ADDC, CLAMP, STORE, SPILL) \
	MOVD Tile_TilesLeft(R0), R1; \
	MOVD Tile_A(R0), R2; \
	MOVD Tile_C(R0), R3; \
	MOVD Tile_Flags(R0), R14; \
	MOVD Tile_R(R0), R19; \
	MOVD Tile_LDC(R0), R20; \
	MOVD Tile_LDR(R0), R21; \
	MOVD Tile_Prefetch(R0), R22; \
	MOVD Tile_Bias(R0), R23; \
	TBZ $0, R14, bias_stays; \
	MOVD ZR, R23; \
bias_stays: \
	TBNZ $1, R14, residual_stays; \
	MOVD ZR, R19; \
residual_stays: \
	/* Count the columns that exist. */ \
	MOVD ZR, R15; \
	MOVD Tile_Mask(R0), R4; \
	CBZ R4, tile; \
	MOVD $nr, R5; \
count: \
	MOVW.P 4(R4), R6; \
	SUB R6, R15; \
	SUBS $1, R5; \
	BNE count; \
tile: \
	/* Start the accumulators: from the bias, or at zero. */ \
	ZERO4(0); ZERO4(1); ZERO4(2); ZERO4(3); \
	CBZ R23, multiply; \
	LOAD(R23); \
multiply: \
	each(START, 0); \
	MOVD Tile_B(R0), R10; \
	MOVD Tile_Taps(R0), R11; \
	MOVD R2, R12; \
tap: \
	/* For each tap: find the rows, then run along k, four steps at a time. */ \
	MOVD Tile_Offset(R0), R24; \
	each(ADDRESS, R24); \
	ADD $(8*const_MR), R12; \
	MOVD Tile_K(R0), R13; \
	SUBS $4, R13; \
	BLT k_tail; \
	PCALIGN $64; \
k_loop: \
	PRFM (R22), PLDL2KEEP; \
	ADD $64, R22; \
	STEP(each, 0); \
	STEP(each, 1); \
	STEP(each, 2); \
	STEP(each, 3); \
	each(NEXT, $16); \
	ADD $16*nr, R10; \
	SUBS $4, R13; \
	BGE k_loop; \
k_tail: \
	ADDS $4, R13; \
	BEQ tap_next; \
k_one: \
	STEP(each, 0); \
	each(NEXT, $4); \
	ADD $4*nr, R10; \
	SUBS $1, R13; \
	BNE k_one; \
tap_next: \
	SUBS $1, R11; \
	BNE tap; \
	/* Finish: what C has so far, residual, clamp, store. */ \
	FMOVS Tile_Lo(R0), F6; \
	FMOVS Tile_Hi(R0), F7; \
	VDUP V6.S[0], V6.S4; \
	VDUP V7.S[0], V7.S4; \
	CBNZ R15, masked; \
	TBZ $0, R14, residual; \
	MOVD R3, R24; \
	each(ADDC, R20); \
residual: \
	TBZ $1, R14, store; \
	CBZ R19, clamp; \
	MOVD R19, R24; \
	each(ADDC, R21); \
	MOVD R24, R19; \
clamp: \
	each(CLAMP, 0); \
store: \
	each(STORE, R20); \
	B tile_next; \
masked: \
	/* The same, row by row, for the columns that exist. */ \
	MOVD $sums-384(SP), R12; \
	each(SPILL, 0); \
	MOVD $mr, R11; \
masked_row: \
	MOVD R12, R6; \
	MOVD R3, R7; \
	MOVD R19, R8; \
	MOVD R15, R13; \
masked_four: \
	SUBS $4, R13; \
	BLT masked_two; \
	PART(FMOVQ, 16, residual_four, clamp_four, store_four); \
	B masked_four; \
masked_two: \
	TBZ $1, R13, masked_one; \
	PART(FMOVD, 8, residual_two, clamp_two, store_two); \
masked_one: \
	TBZ $0, R13, masked_next; \
	PART(FMOVS, 4, residual_one, clamp_one, store_one); \
masked_next: \
	ADD $64, R12; \
	ADD R20, R3; \
	CBZ R19, no_residual; \
	ADD R21, R19; \
no_residual: \
	SUBS $1, R11; \
	BNE masked_row; \
tile_next: \
	MOVD Tile_Step(R0), R24; \
	ADD R24, R2; \
	MOVD Tile_Move(R0), R24; \
	MOVD Tile_Offset(R0), R5; \
	ADD R24, R5; \
	MOVD R5, Tile_Offset(R0); \
	SUBS $1, R1; \
	BNE tile; \
	MOVD R22, Tile_Prefetch(R0); \
	MOVD ZR, Tile_TilesLeft(R0)

#define TILES16(each, mr) TILES(each, mr, 16, START16, STEP16, LOAD16, ADD16, CLAMP16, STORE16, SPILL16)
#define TILES8(each, mr) TILES(each, mr, 8, START8, STEP8, LOAD8, ADD8, CLAMP8, STORE8, SPILL8)
