package simulated

import "sort"

// The calibration of the worked example in Bosch's datasheet (BMP280, §3.12), which gives 25.08 °C and 100653 Pa for the
// converters' 519888 and 415148. It has no humidity; that part is what chips in the field hold.
const (
	digT1 = 27504
	digT2 = 26435
	digT3 = -1000
	digP1 = 36477
	digP2 = -10685
	digP3 = 3024
	digP4 = 2855
	digP5 = 140
	digP6 = -7
	digP7 = 15500
	digP8 = -14600
	digP9 = 6000
	digH1 = 75
	digH2 = 362
	digH3 = 0
	digH4 = 318
	digH5 = 50
	digH6 = 30
)

// fineTemperature, pressure256 and humidity1024 are the datasheet's integer formulas (BME280, §4.2.3). They return 1/5120
// °C, 1/256 Pa and 1/1024 %.

func fineTemperature(raw int32) int32 {
	var1 := ((raw>>3 - digT1<<1) * digT2) >> 11
	var2 := (((raw>>4 - digT1) * (raw>>4 - digT1)) >> 12 * digT3) >> 14
	return var1 + var2
}

func pressure256(raw, fine int32) int64 {
	var1 := int64(fine) - 128000
	var2 := var1*var1*digP6 + (var1*digP5)<<17 + int64(digP4)<<35
	var1 = (var1*var1*digP3)>>8 + (var1*digP2)<<12
	var1 = ((int64(1)<<47 + var1) * digP1) >> 33
	p := (((1048576-int64(raw))<<31 - var2) * 3125) / var1
	var1 = (digP9 * (p >> 13) * (p >> 13)) >> 25
	var2 = (digP8 * p) >> 19
	return (p+var1+var2)>>8 + digP7<<4
}

func humidity1024(raw, fine int32) int32 {
	v := fine - 76800
	v = ((raw<<14 - digH4<<20 - digH5*v + 16384) >> 15) *
		(((((v*digH6)>>10*((v*digH3)>>11+32768))>>10+2097152)*digH2 + 8192) >> 14)
	v -= ((v >> 15 * (v >> 15)) >> 7 * digH1) >> 4
	return min(max(v, 0), 419430400) >> 12
}

// The inverses: what the converters read in that air.

func rawTemperature(celsius float64) int32 {
	fine := int32(celsius * 5120)
	return int32(sort.Search(1<<20-1, func(raw int) bool { return fineTemperature(int32(raw)) >= fine }))
}

func rawPressure(pascals float64, fine int32) int32 {
	p := int64(pascals * 256)
	return int32(sort.Search(1<<20-1, func(raw int) bool { return pressure256(int32(raw), fine) <= p })) // falls as raw grows
}

func rawHumidity(percent float64, fine int32) int32 {
	h := int32(percent * 1024)
	return int32(sort.Search(1<<16-1, func(raw int) bool { return humidity1024(int32(raw), fine) >= h }))
}
