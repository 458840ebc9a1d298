namespace Api;

internal sealed record Order(int Id, string What);

internal sealed record NewOrder(string? What);
