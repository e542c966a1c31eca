"""Compares the rotation that an engine applies with the one that rope-eval means.

An engine gives the cosine and the sine for each rotary pair at a position. Their angle and their length are compared
with position x frequency and the temperature of the expected table. Both errors are relative, so that a slow pair,
which has hardly turned at the target, counts as much as a fast one.
"""

import math


def positions_up_to(length):
    """Powers of two, their neighbours and the last position, because a wrong frequency shows at some of them."""
    picked = {1, 3, length // 2 + 1, length - 1}
    power = 2
    while power < length:
        picked |= {power, power - 1}
        power *= 2
    return sorted(p for p in picked if 0 < p < length)


def compare(rows, group):
    """The largest relative errors of angle and temperature.

    rows: {position: (cosines, sines)}, one number per pair.

    group: the expected frequencies and temperature.

    Raises ValueError if the number of pairs differs.
    """
    frequencies = group["invFreq"]
    temperature = group["attentionScaling"]
    angle_error = temperature_error = 0.0
    for position, (cosines, sines) in rows.items():
        if len(cosines) != len(frequencies):
            raise ValueError(f"{len(cosines)} rotary pairs, {len(frequencies)} expected")
        for cosine, sine, frequency in zip(cosines, sines, frequencies):
            length = math.hypot(cosine, sine)
            temperature_error = max(temperature_error, abs(length / temperature - 1))
            turned = position * frequency
            off = abs(math.remainder(math.atan2(sine, cosine) - turned, 2 * math.pi))
            # A pair that never turns only has an absolute error.
            angle_error = max(angle_error, off / turned if turned > 0 else off)
    return {"angleError": angle_error, "temperatureError": temperature_error}


def rows_of_rotation(matrices, rotary_dim, layout):
    """Cosine and sine of every pair, read from rotated unit vectors.

    matrices: {position: head_size rows}; row i is the engine's result for unit vector i. Whatever class computed the
    table, this is what the queries receive.

    Raises ValueError if other dimensions than expected are rotated together.
    """
    half = rotary_dim // 2
    pairs = [(i, i + half) if layout == "half" else (2 * i, 2 * i + 1) for i in range(half)]
    partners = {a: b for a, b in pairs} | {b: a for a, b in pairs}
    rows = {}
    for position, matrix in matrices.items():
        for index, row in enumerate(matrix):
            own = {index, partners.get(index, index)}
            stray = max((abs(x) for i, x in enumerate(row) if i not in own), default=0.0)
            still = index in partners or abs(row[index] - 1) < 1e-6
            if stray > 1e-6 or not still:
                raise ValueError(f"pairs are not laid out as {layout} over {rotary_dim}")
        rows[position] = ([matrix[a][a] for a, _ in pairs], [matrix[a][b] for a, b in pairs])
    return rows
