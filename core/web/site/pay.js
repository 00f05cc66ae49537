// Sends the form to the payment provider on by itself. Without scripts its button does.
document.getElementById("pay").submit();
