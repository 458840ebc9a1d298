// Sends the answer on to the app; without script the page shows a button.
document.forms[0].submit();
