// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0
//
// Glass, metal and enamel beads on a spiral above a polished floor, under a soft lamp.

#version 3.7;
global_settings {
	assumed_gamma 1.0
	max_trace_level 12
}

#declare Beads = 90;
#declare Turns = 5;

camera {
	location <-1.5, 4.6, -13.5>
	look_at <0, 1.75, 0>
	angle 44
}

light_source {
	<9, 14, -8>
	rgb <1.15, 1.05, 0.92>
	area_light <3, 0, 0>, <0, 0, 3>, 5, 5
	adaptive 1
	circular
	orient
}
light_source {
	<-12, 9, -6>
	rgb <0.18, 0.22, 0.32>
	shadowless
}

sky_sphere {
	pigment {
		gradient y
		color_map {
			[0.0 rgb <0.92, 0.76, 0.62>]
			[0.4 rgb <0.36, 0.50, 0.74>]
			[1.0 rgb <0.07, 0.13, 0.33>]
		}
	}
}

plane {
	y, 0
	pigment {
		checker rgb <0.62, 0.58, 0.52>, rgb <0.30, 0.31, 0.34>
		scale 1.6
	}
	finish {
		diffuse 0.75
		reflection { 0.05, 0.35 fresnel on }
		conserve_energy
	}
	interior { ior 1.45 }
}

// Hue from 0 to 1 as a colour.
#macro Rainbow(Hue)
	rgb <
		0.55 + 0.45 * cos(2 * pi * Hue),
		0.50 + 0.45 * cos(2 * pi * (Hue - 1 / 3)),
		0.55 + 0.45 * cos(2 * pi * (Hue - 2 / 3))>
#end

#for (Index, 0, Beads - 1)
	#local Part = Index / (Beads - 1);
	#local Angle = 2 * pi * Turns * Part;
	#local Distance = 0.7 + 4.2 * (1 - Part);
	#local Size = 0.16 + 0.26 * (1 - Part);
	sphere {
		<Distance * cos(Angle), Size + 3.6 * Part * Part, Distance * sin(Angle)>, Size
		#switch (mod(Index, 3))
			#case (0)
				pigment { Rainbow(Part) transmit 0.9 }
				finish {
					specular 0.9
					roughness 0.002
					reflection { 0.02, 1 fresnel on }
					conserve_energy
				}
				interior { ior 1.5 }
			#break
			#case (1)
				pigment { rgb <0.95, 0.82, 0.55> }
				finish {
					diffuse 0.25
					metallic
					specular 0.7
					roughness 0.01
					reflection { 0.6 metallic }
				}
			#break
			#else
				pigment { Rainbow(Part + 0.15) }
				normal { bumps 0.15 scale 0.05 }
				finish {
					diffuse 0.8
					specular 0.5
					roughness 0.02
				}
		#end
	}
#end

// The lamp of the spiral: a ball of glass with a smaller one of air in it.
difference {
	sphere { <0, 4.45, 0>, 0.75 }
	sphere { <0, 4.45, 0>, 0.55 }
	pigment { rgbt <0.85, 0.95, 1, 0.92> }
	finish {
		specular 1
		roughness 0.001
		reflection { 0.05, 1 fresnel on }
		conserve_energy
	}
	interior { ior 1.5 }
}
