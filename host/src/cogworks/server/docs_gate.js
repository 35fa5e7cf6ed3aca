"use strict";

// A browser cannot send a token with the address of a page; so the page is fetched, and put in this one's place.
(() => {
  const form = document.getElementById("gate");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = document.getElementById("token").value;
    const response = await fetch("docs", { headers: { Authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (response.ok) {
      document.open();
      document.write(text);
      document.close();
      document.getElementById("token").value = token;
      return;
    }
    let reason = `HTTP ${response.status}`;
    try {
      reason = JSON.parse(text).error || reason;
    } catch {
      // Not this server's words.
    }
    document.getElementById("state").textContent = reason;
  });
})();
