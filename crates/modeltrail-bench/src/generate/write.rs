//! JSON numbers and digits, written without an allocation: the generator must outrun the product.

/// Appends a whole number.
pub(super) fn whole(out: &mut String, mut n: u64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        if let (Some(slot), Ok(digit)) = (digits.get_mut(at), u8::try_from(n % 10)) {
            *slot = b'0' + digit;
        }
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend(digits.get(at..).unwrap_or_default().iter().map(|&digit| char::from(digit)));
}

/// Appends a whole number with leading zeros up to `width` digits.
pub(super) fn padded(out: &mut String, n: u64, width: u32) {
    for place in (0..width).rev() {
        let digit = n / 10_u64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

/// Appends a number rounded to `places` decimals, as the shortest JSON that denotes it.
pub(super) fn decimal(out: &mut String, value: f64, places: u32) {
    let scale = 10_u64.pow(places);
    // Callers write amounts, scores and latencies: far below 2⁵³ when scaled.
    let scaled = (value.abs() * scale as f64).round() as u64;
    if value < 0.0 && scaled > 0 {
        out.push('-');
    }
    whole(out, scaled / scale);
    out.push('.');
    let (mut fraction, mut width) = (scaled % scale, places);
    while width > 1 && fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    padded(out, fraction, width);
}

/// Appends `n` lower-case hexadecimal digits, the lowest ones of `bits`.
pub(super) fn hex(out: &mut String, bits: u64, n: u32) {
    for place in (0..n).rev() {
        let digit = u32::try_from(bits >> (4 * place) & 0xf).unwrap_or(0);
        out.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}
