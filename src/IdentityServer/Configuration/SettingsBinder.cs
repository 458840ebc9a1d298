using System.Collections;
using System.Globalization;
using System.Reflection;

namespace IdentityServer.Configuration;

/// <summary>
/// Reads a section into an object, strictly: a key that no property has and a value that its property cannot hold are problems, where the
/// framework's own binder stays silent or throws at the first.
/// </summary>
internal static class SettingsBinder
{
    public static void Bind(IConfigurationSection section, object target, List<SettingProblem> problems)
    {
        var properties = target.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public);
        foreach (var child in section.GetChildren())
        {
            var property = Array.Find(properties, candidate => string.Equals(candidate.Name, child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is null)
            {
                problems.Add(new(child.Path, "is not a setting of this server. " + Suggestion(child, properties)));
            }
            else if (property.PropertyType == typeof(IList<string>))
            {
                ReadList(child, (IList<string>)property.GetValue(target)!, problems);
            }
            else if (property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(IList<>))
            {
                ReadGroups(child, (IList)property.GetValue(target)!, type.GenericTypeArguments[0], problems);
            }
            else if (property.CanWrite && IsValue(property.PropertyType))
            {
                ReadValue(child, target, property, problems);
            }
            else if (child.Value is { Length: > 0 })
            {
                problems.Add(new(child.Path, $"is a group of settings, not a value. It holds: {Names(property.PropertyType)}."));
            }
            else
            {
                Bind(child, property.GetValue(target)!, problems);
            }
        }
    }

    private static bool IsValue(Type type) => type == typeof(string) || type.IsValueType;

    private static void ReadValue(
        IConfigurationSection child, object target, PropertyInfo property, List<SettingProblem> problems)
    {
        if (child.GetChildren().FirstOrDefault() is { } below)
        {
            problems.Add(new(below.Path, $"is not a setting of this server: {property.Name} is a single value."));
        }
        else if (string.IsNullOrWhiteSpace(child.Value))
        {
            // An empty variable counts as none, as compose files and pipelines write them.
        }
        else if (property.Name == nameof(MasterKeySourceSettings.Password))
        {
            // Space around a password is part of it.
            property.SetValue(target, child.Value);
        }
        else if (Parse(child.Value, property.PropertyType) is { } value)
        {
            property.SetValue(target, value);
        }
        else
        {
            problems.Add(new(child.Path, $"is “{Protocol.Clients.Identifiers.Shown(child.Value)}”. Allowed: {Allowed(property.PropertyType)}."));
        }
    }

    private static void ReadList(IConfigurationSection child, IList<string> list, List<SettingProblem> problems)
    {
        if (child.Value is { Length: > 0 } several)
        {
            foreach (var item in several.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                list.Add(item);
            }
        }

        foreach (var item in child.GetChildren())
        {
            if (!int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _) || item.Value is null)
            {
                problems.Add(new(item.Path, $"is not a setting of this server: {child.Key} is a list ({child.Path}:0, {child.Path}:1, …)."));
            }
            else if (item.Value.Length > 0)
            {
                list.Add(item.Value.Trim());
            }
        }
    }

    private static void ReadGroups(IConfigurationSection child, IList list, Type type, List<SettingProblem> problems)
    {
        if (child.Value is { Length: > 0 })
        {
            problems.Add(new(child.Path, $"is a list of groups, not a value. Each ({child.Path}:0, {child.Path}:1, …) holds: {Names(type)}."));
        }

        foreach (var item in child.GetChildren())
        {
            if (!int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                problems.Add(new(item.Path, $"is not a setting of this server: {child.Key} is a list ({child.Path}:0, {child.Path}:1, …)."));
            }
            else if (item.Value is { Length: > 0 })
            {
                problems.Add(new(item.Path, $"is a group of settings, not a value. It holds: {Names(type)}."));
            }
            else
            {
                var group = Activator.CreateInstance(type)!;
                Bind(item, group, problems);
                list.Add(group);
            }
        }
    }

    private static object? Parse(string text, Type type)
    {
        text = text.Trim();
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsEnum)
        {
            return Enum.GetNames(plain).FirstOrDefault(name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase)) is { } name
                ? Enum.Parse(plain, name)
                : null;
        }

        return plain switch
        {
            _ when plain == typeof(string) => text,
            _ when plain == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            _ when plain == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ when plain == typeof(TimeSpan) => TimeSpan.TryParseExact(text, ["c", @"d\.hh\:mm\:ss"], CultureInfo.InvariantCulture, out var span) ? span : null,
            _ => throw new NotSupportedException($"No setting has the type {plain}."),
        };
    }

    private static string Allowed(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain.IsEnum ? string.Join(", ", Enum.GetNames(plain))
            : plain == typeof(bool) ? "true, false"
            : plain == typeof(int) ? "a whole number"
            : "a duration such as 00:10:00 (hours:minutes:seconds)";
    }

    private static string Suggestion(IConfigurationSection child, PropertyInfo[] properties)
    {
        var nearest = properties.MinBy(property => Nearness.Distance(property.Name, child.Key))!;
        var group = child.Path[..^child.Key.Length];
        return Nearness.IsNear(nearest.Name, child.Key)
            ? $"Did you mean {group}{nearest.Name}?"
            : $"{group.TrimEnd(':')} holds: {Names(properties)}.";
    }

    private static string Names(Type type) => Names(type.GetProperties(BindingFlags.Instance | BindingFlags.Public));

    private static string Names(PropertyInfo[] properties) => string.Join(", ", properties.Select(property => property.Name));
}
