/**
 * Smallest base for lengths of 1024, 2048, 4096 … tokens, per rotary dimension: results of
 * `smallestBase` at its default grid (0.5 % in the base). For 128 dimensions they agree with
 * Men et al. 2024 (arXiv:2405.14591), table 2, within the coarseness of the two grids.
 * Eight digits, because the next number is not always valid as well.
 */
export const BASE_TABLE: readonly {
  readonly rotaryDim: number;
  readonly bases: readonly number[];
}[] = Object.freeze([
  {
    rotaryDim: 32,
    bases: [
      58254.993, 205373.41, 1113017.2, 7008155.4, 27033438, 1.58709349e8, 7.00696286e8,
      3.70365162e9, 1.53992569e10, 8.99558735e10, 4.05175074e11,
    ],
  },
  {
    rotaryDim: 64,
    bases: [
      7766.5792, 29660.904, 105091.33, 389486.74, 1359442.3, 3788895.4, 17762234, 76866837,
      3.71323829e8, 1.32885711e9, 4.1967871e9,
    ],
  },
  {
    rotaryDim: 80,
    bases: [
      8844.8009, 15026.718, 67009.193, 307916.86, 397354.89, 2428016.2, 9089087.7, 33854588,
      1.25470985e8, 2.27482778e8, 2.20189699e9,
    ],
  },
  {
    rotaryDim: 96,
    bases: [
      5418.5585, 18818.3, 54862.487, 103526.73, 558262.8, 727657.02, 5191769.2, 20636772, 71670164,
      2.43977141e8, 1.01442227e9,
    ],
  },
  {
    rotaryDim: 128,
    bases: [
      4305.2268, 11644.452, 26972.823, 83917.134, 235057.42, 632594.62, 2100288.1, 8265370.3,
      32854034, 63248698, 3.47955478e8,
    ],
  },
  {
    rotaryDim: 256,
    bases: [
      2973.7679, 7387.7987, 17811.242, 44470.667, 109380.19, 300314.37, 858193.68, 1968111.7,
      4865038, 15675117, 40329150,
    ],
  },
]);
