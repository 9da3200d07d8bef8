const outcomes = {};
for (const url of process.argv.slice(2)) {
  outcomes[url] = await fetch(url).then(
    (response) => response.status,
    (error) => error.cause.message,
  );
}
console.log(JSON.stringify(outcomes));
